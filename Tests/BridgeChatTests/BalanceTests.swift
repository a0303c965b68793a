import BridgeCore
import Testing

@testable import BridgeChat

/// MCP's rule for calls and results, whatever the client sent.
@Suite("Calls and results") struct BalanceTests {
    static func call(_ id: String) -> ChatBlock { .toolUse(.init(id: id, name: "f", input: .emptyObject)) }
    static func result(_ id: String, _ text: String = "r") -> ChatBlock {
        .toolResult(.init(id: id, content: [.text(text)]))
    }
    static let tools = SamplingAbilities(takesTools: true, takesAudio: true)

    static func balanced(_ turns: [ChatTurn]) throws -> [ChatTurn] {
        let result = try SamplingConversation(turns, for: Self.tools).turns
        try Self.expectBalance(result)
        return result
    }

    /// Every message with calls is followed by one that answers each of them and holds nothing else, and no result stands
    /// anywhere else.
    static func expectBalance(_ turns: [ChatTurn]) throws {
        for (index, turn) in turns.enumerated() {
            #expect(!turn.blocks.isEmpty)
            let calls = turn.blocks.compactMap { if case .toolUse(let use) = $0 { use.id } else { nil } }
            let results = turn.blocks.compactMap { if case .toolResult(let result) = $0 { result.id } else { nil } }
            if !calls.isEmpty {
                #expect(Set(calls).count == calls.count)
                let next = try #require(index + 1 < turns.count ? turns[index + 1] : nil)
                #expect(next.holdsOnlyResults)
                let answered = next.blocks.compactMap {
                    if case .toolResult(let result) = $0 { result.id } else { nil }
                }
                #expect(answered == calls)
            }
            if !results.isEmpty {
                #expect(index > 0 && turns[index - 1].role == .assistant)
                #expect(turn.holdsOnlyResults)
            }
        }
    }

    @Test func `a call without a result gets one that says so`() throws {
        let turns = try Self.balanced([
            .init(.assistant, [Self.call("a"), Self.call("b")]), .init(.user, [Self.result("b")]),
        ])
        #expect(turns.count == 2)
        guard case .toolResult(let missing) = turns[1].blocks[0] else { throw ChatFault(.internal, "") }
        #expect(missing.isError)
    }

    @Test func `a last turn that calls is answered, too`() throws {
        #expect(try Self.balanced([.user("q"), .init(.assistant, [Self.call("a")])]).count == 3)
    }

    @Test func `a result that comes late is brought to its call`() throws {
        let turns = try Self.balanced([
            .init(.assistant, [Self.call("a")]), .user("meanwhile"), .init(.user, [Self.result("a")]),
        ])
        #expect(turns == [.init(.assistant, [Self.call("a")]), .init(.user, [Self.result("a")]), .user("meanwhile")])
    }

    @Test func `a result without a call is told in words, and so is a second one`() throws {
        let turns = try Self.balanced([
            .init(.user, [Self.result("z", "lost")]), .init(.assistant, [Self.call("a")]),
            .init(.user, [Self.result("a", "1"), Self.result("a", "2")]),
        ])
        #expect(
            turns == [
                .user("result: lost"), .init(.assistant, [Self.call("a")]), .init(.user, [Self.result("a", "1")]),
                .user("result: 2"),
            ])
    }

    @Test func `two calls of one id are told apart`() throws {
        let turns = try Self.balanced([
            .init(.assistant, [Self.call("a"), Self.call("a")]), .init(.user, [Self.result("a")]),
        ])
        #expect(turns[0].blocks == [Self.call("a"), Self.call("a_1")])
        let answered = try Self.balanced([
            .init(.assistant, [Self.call("a"), Self.call("a")]),
            .init(.user, [Self.result("a", "1"), Self.result("a", "2")]),
        ])
        #expect(answered[1].blocks == [Self.result("a", "1"), Self.result("a_1", "2")])
    }

    @Test func `an id that is used again in a later turn is answered there`() throws {
        let turns: [ChatTurn] = [
            .init(.assistant, [Self.call("a")]), .init(.user, [Self.result("a", "1")]),
            .init(.assistant, [Self.call("a")]), .init(.user, [Self.result("a", "2")]),
        ]
        #expect(try Self.balanced(turns) == turns)
    }

    @Test func `a call that was never answered leaves the result to the next one of its id`() throws {
        let turns = try Self.balanced([
            .init(.assistant, [Self.call("a")]), .user("again"), .init(.assistant, [Self.call("a")]),
            .init(.user, [Self.result("a", "2")]),
        ])
        #expect(turns.count == 5)
        #expect(turns[4] == ChatTurn(.user, [Self.result("a", "2")]))
        guard case .toolResult(let missing) = turns[1].blocks[0] else { throw ChatFault(.internal, "") }
        #expect(missing.isError)
    }

    @Test func `an image in a result without a call is kept`() throws {
        let image = ChatContent.image(Samples.media())
        let result = ChatBlock.toolResult(.init(id: "z", content: [.text("lost"), image]))
        #expect(
            try Self.balanced([.init(.user, [result])]) == [.init(.user, [.text("result: lost"), .content(image)])])
    }

    @Test func `many calls of one id are told apart at once`() throws {
        let calls = (0..<5_000).map { _ in Self.call("a") }
        #expect(try Self.balanced([.init(.assistant, calls)]).count == 2)
    }
}
