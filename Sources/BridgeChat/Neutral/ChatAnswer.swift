/// What a model answered, in no dialect.
package struct ChatAnswer: Sendable, Hashable {
    package enum Block: Sendable, Hashable {
        case text(String)
        case toolUse(ChatToolUse)
    }

    package enum Stop: Sendable, Hashable {
        case endTurn
        case toolUse
        /// Which sequence it was, when that is known.
        case stopSequence(String?)
        case maximumTokens
        case contentFilter
        /// A word of the source that no dialect has.
        case other(String)
    }

    /// As the source calls it, shortened; empty when it does not say.
    package var model: String
    /// No text is empty, and no two texts follow each other.
    package var blocks: [Block]
    package var stop: Stop
    package var usage: ChatUsage

    package init(model: String, blocks: [Block], stop: Stop, usage: ChatUsage = ChatUsage()) {
        self.model = ChatFault.shortened(model, to: ChatRequest.maximumModel)
        self.blocks = Self.joined(blocks)
        self.stop = stop
        self.usage = usage
    }

    /// Texts that follow each other become one, without anything between them.
    static func joined(_ blocks: [Block]) -> [Block] {
        var result: [Block] = []
        for block in blocks {
            if case .text(let text) = block {
                if text.isEmpty { continue }
                if case .text(let before) = result.last {
                    result[result.count - 1] = .text(before + text)
                    continue
                }
            }
            result.append(block)
        }
        return result
    }
}

extension ChatAnswer {
    /// All text, without anything between its pieces.
    package var text: String {
        self.blocks.reduce(into: "") { if case .text(let text) = $1 { $0 += text } }
    }

    package var toolUses: [ChatToolUse] {
        self.blocks.compactMap { if case .toolUse(let use) = $0 { use } else { nil } }
    }

    package var isEmpty: Bool { self.blocks.isEmpty }

    /// Why it stopped, as the content has it: a call of a tool is one whatever the source says.
    var effectiveStop: Stop {
        if !self.toolUses.isEmpty { return .toolUse }
        return self.stop == .toolUse ? .endTurn : self.stop
    }

    /// The source's own word where no dialect has one: the value of `X-MCP-Stop-Reason`.
    package var stopWord: String? {
        guard case .other(let word) = self.effectiveStop else { return nil }
        return word
    }
}

/// Counts of tokens.
package struct ChatUsage: Sendable, Hashable {
    package var input: Int
    package var output: Int
    /// Sampling tells no usage: then it is ``TokenEstimate``'s.
    package var isEstimate: Bool

    package init(input: Int = 0, output: Int = 0, isEstimate: Bool = true) {
        self.input = input
        self.output = output
        self.isEstimate = isEstimate
    }

    package var total: Int {
        let sum = self.input.addingReportingOverflow(self.output)
        return sum.overflow ? .max : sum.partialValue
    }
}
