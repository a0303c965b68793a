import BridgeCore

/// Fits a conversation to what a sampling client takes. Nothing in it is left out.
///
/// MCP wants every call of a tool answered in the very next message, and a message with results to hold nothing else
/// (client/sampling, "Message Content Constraints"). Clients of model APIs send what they like.
struct SamplingConversation {
    private let abilities: SamplingAbilities
    private(set) var turns: [ChatTurn] = []
    private(set) var remarks = ChatRemarks()

    init(_ turns: [ChatTurn], for abilities: SamplingAbilities) throws(ChatFault) {
        self.abilities = abilities
        if abilities.takesTools {
            self.balance(turns)
        } else {
            self.tellTools(turns)
        }
        if !abilities.takesAudio { try self.refuseAudio() }
        // Whether a source goes on with what the answer is to begin with is its own to say.
        if self.turns.last?.role == .assistant { self.remarks.approximate("messages.prefill") }
    }

    private func refuseAudio() throws(ChatFault) {
        for turn in self.turns {
            for case .content(.audio) in turn.blocks {
                throw .sourceWithoutSound
            }
        }
    }

    private mutating func add(_ turn: ChatTurn) {
        if turn.blocks.isEmpty { return }
        guard turn.role == .system else { return self.turns.append(turn) }
        // Folded into the system prompt it would come too early.
        self.remarks.approximate("messages.system")
        self.turns.append(
            ChatTurn(
                .user,
                turn.blocks.map {
                    if case .content(.text(let text)) = $0 { .text("<system>\n\(text)\n</system>") } else { $0 }
                }))
    }
}

// For a client with tools.
extension SamplingConversation {
    private mutating func balance(_ turns: [ChatTurn]) {
        var results = ResultShelf(turns)
        for (index, turn) in turns.enumerated() {
            switch turn.role {
            case .assistant:
                let named = Self.withOwnIDs(turn)
                self.add(named)
                self.answer(named, as: turn, at: index, from: &results)
            case .user, .system:
                let rest = turn.blocks.enumerated().flatMap { position, block in
                    self.restOf(block, at: .init(turn: index, block: position), results)
                }
                self.add(ChatTurn(turn.role, rest))
            }
        }
    }

    /// Writes the message that answers all calls of a turn.
    ///
    /// - Parameter sent: the turn with the ids that the client knows.
    private mutating func answer(
        _ turn: ChatTurn, as sent: ChatTurn, at index: Int, from results: inout ResultShelf
    ) {
        var answers: [ChatBlock] = []
        var images: [ChatBlock] = []
        for case (.toolUse(let use), .toolUse(let known)) in zip(turn.blocks, sent.blocks) {
            var result = results.take(for: known.id, after: index) ?? Self.missing(use.id)
            result.id = use.id
            if !self.abilities.takesImagesInResults || !self.abilities.takesAudio {
                images += self.takeMedia(out: &result)
            }
            answers.append(.toolResult(result))
        }
        self.add(ChatTurn(.user, answers))
        self.add(ChatTurn(.user, images))
    }

    private static func missing(_ id: String) -> ChatToolResult {
        ChatToolResult(id: id, content: [.text("No result of this call was sent.")], isError: true)
    }

    /// What a source would not look at inside a result.
    private mutating func takeMedia(out result: inout ChatToolResult) -> [ChatBlock] {
        var media: [ChatBlock] = []
        var kept: [ChatContent] = []
        for content in result.content {
            switch content {
            case .text: kept.append(content)
            case .image where self.abilities.takesImagesInResults: kept.append(content)
            case .image, .audio: media.append(.content(content))
            }
        }
        guard !media.isEmpty else { return [] }
        self.remarks.approximate("tool_result.content")
        kept.append(.text("What this call returned besides text follows in the next message."))
        result.content = kept
        return media
    }

    /// What stays of a block of a user's turn: nothing of a result that has been taken to the call that it answers.
    private func restOf(_ block: ChatBlock, at place: ResultShelf.Place, _ results: ResultShelf) -> [ChatBlock] {
        guard case .toolResult(let result) = block else { return [block] }
        return results.isTaken(place) ? [] : ToolsAsText.blocks(result)
    }

    /// Ids that are the only ones of their turn. MCP cannot tell two calls of one id apart; their results come in their order.
    private static func withOwnIDs(_ turn: ChatTurn) -> ChatTurn {
        var ids: Set<String> = []
        var turn = turn
        for (index, block) in turn.blocks.enumerated() {
            guard case .toolUse(var use) = block, !ids.insert(use.id).inserted else { continue }
            // The place is in no other id that was made here. One of the client's may look like it.
            while !ids.insert("\(use.id)_\(index)").inserted { use.id += "_" }
            use.id = "\(use.id)_\(index)"
            turn.blocks[index] = .toolUse(use)
        }
        return turn
    }
}

// For a client without tools.
extension SamplingConversation {
    private mutating func tellTools(_ turns: [ChatTurn]) {
        for turn in turns {
            var blocks: [ChatBlock] = []
            for block in turn.blocks {
                switch block {
                case .content: blocks.append(block)
                case .toolUse(let use): blocks.append(.text(ToolsAsText.call(use)))
                case .toolResult(let result):
                    blocks += ToolsAsText.blocks(result)
                }
                if case .content = block { continue }
                self.remarks.approximate("messages.tools")
            }
            self.add(ChatTurn(turn.role, blocks))
        }
    }
}

/// Tools in words.
enum ToolsAsText {
    static func call(_ use: ChatToolUse) -> String { "called \(use.name)(\(use.arguments))" }

    /// A result: its texts as one, and everything else behind it.
    static func blocks(_ result: ChatToolResult) -> [ChatBlock] {
        [.text(Self.text(result))] + result.content.compactMap { if case .text = $0 { nil } else { .content($0) } }
    }

    private static func text(_ result: ChatToolResult) -> String {
        let texts = result.content.compactMap { if case .text(let text) = $0 { text } else { nil } }
        return "\(result.isError ? "error" : "result"): \(texts.joined(separator: "\n"))"
    }
}
