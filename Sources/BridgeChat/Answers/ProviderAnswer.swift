import BridgeCore

/// What reading the answers of other services has in common.
enum ProviderAnswer {
    /// Whatever is wrong with an answer is a bad answer, and not the client's doing.
    static func reading(_ body: () throws(ChatFault) -> ChatAnswer) throws(ChatFault) -> ChatAnswer {
        do throws(ChatFault) {
            return try body()
        } catch {
            throw ChatFault(.badAnswer, "The source's answer cannot be used: \(error.message)", sourceWasAsked: true)
        }
    }

    static func blocks(of turns: [ChatTurn]) throws(ChatFault) -> [ChatAnswer.Block] {
        var blocks: [ChatAnswer.Block] = []
        for block in turns.flatMap(\.blocks) {
            switch block {
            case .content(.text(let text)): blocks.append(.text(text))
            case .toolUse(let use): blocks.append(.toolUse(use))
            case .content, .toolResult: throw .unsupported("content", "an answer is text and calls of tools")
            }
        }
        return blocks
    }

    /// Usage as somebody has counted it; without numbers it is an estimate yet to be made.
    static func usage(_ members: MemberReader, _ input: String, _ output: String) throws(ChatFault) -> ChatUsage {
        var members = members
        guard let input = try members.integer(input), let output = try members.integer(output), input >= 0, output >= 0
        else { return ChatUsage() }
        return ChatUsage(input: input, output: output, isEstimate: false)
    }
}
