import BridgeCore

extension ChatAnswer {
    /// The answer as the request wants it: cut at the first stop sequence, with one call where only one is wanted, with ids
    /// that are each the only one, and with a usage.
    ///
    /// Sources do not do all that by themselves, whatever they were told.
    ///
    /// - Parameter prefix: what ids that are made here begin with, unique for the request.
    package func fitted(to request: ChatRequest, idPrefix prefix: String) -> ChatAnswer {
        var answer = self
        answer.cut(at: request.stopSequences)
        if !request.allowsParallelCalls { answer.keepFirstCall() }
        answer.nameCalls(prefix)
        answer.markFreeform(request.tools)
        if answer.usage.isEstimate {
            answer.usage = ChatUsage(
                input: TokenEstimate.input(of: request), output: TokenEstimate.output(of: answer))
        }
        return answer
    }

    private mutating func cut(at sequences: [String]) {
        if sequences.isEmpty { return }
        if self.stop == .stopSequence(nil), sequences.count == 1 { self.stop = .stopSequence(sequences.first) }
        for (index, block) in self.blocks.enumerated() {
            guard case .text(let text) = block else { continue }
            var scanner = StopScanner(sequences)
            let kept = scanner.push(text)
            guard let match = scanner.match else { continue }
            self.blocks = Self.joined(self.blocks[..<index] + [.text(kept)])
            self.stop = .stopSequence(match)
            return
        }
    }

    private mutating func keepFirstCall() {
        var hasCall = false
        self.blocks.removeAll { block in
            guard case .toolUse = block else { return false }
            defer { hasCall = true }
            return hasCall
        }
        self.blocks = Self.joined(self.blocks)
    }

    /// Ids stay as they are where they are of a length and an alphabet that every client takes, and not given twice.
    private mutating func nameCalls(_ prefix: String) {
        var ids: Set<String> = []
        for (index, block) in self.blocks.enumerated() {
            guard case .toolUse(var use) = block else { continue }
            if !Self.isID(use.id) || ids.contains(use.id) {
                var number = index
                repeat {
                    use.id = "\(prefix)_\(number)"
                    number += self.blocks.count
                } while ids.contains(use.id)
            }
            ids.insert(use.id)
            self.blocks[index] = .toolUse(use)
        }
    }

    private static func isID(_ id: String) -> Bool {
        (1...64).contains(id.utf8.count)
            && id.utf8.allSatisfy { PercentCoding.isAlphanumeric($0) || "_-.:".utf8.contains($0) }
    }

    private mutating func markFreeform(_ tools: [ChatTool]) {
        let names = Set(tools.lazy.filter(\.isFreeform).map(\.name))
        if names.isEmpty { return }
        for (index, block) in self.blocks.enumerated() {
            guard case .toolUse(var use) = block, names.contains(use.name) else { continue }
            use.isFreeform = true
            self.blocks[index] = .toolUse(use)
        }
    }
}
