import BridgeCore
import NIOCore
import Testing

@testable import BridgeMCP

@Suite("Questions that are tasks") struct QuestionTaskTests {
    private static let start = UTCTime(seconds: 1_000)
    private static let later = UTCTime(seconds: 1_060)

    private func text(_ message: ByteBuffer) -> JSONText { JSONText(trusting: message) }

    @Test func `give what came of them to all who wait, and to who comes later`() {
        var task = QuestionTask(ttl: 60_000, now: Self.start)
        let made = self.text(task.creation).value("result")?.value("task")
        #expect(made?.string("taskId") == task.id && made?.string("status") == "working" && made?.int("ttl") == 60_000)
        #expect(made?.string("createdAt") == "1970-01-01T00:16:40Z")
        #expect(task.result(for: 1) == nil && task.result(for: 2) == nil && task.result(for: 3) == nil)
        task.forget(2)
        let answer = ByteBuffer(string: #"{"jsonrpc":"2.0","id":"x","result":{"action":"decline"}}"#)
        #expect(task.end(.completed, with: answer, now: Self.later) == [1, 3] && task.waiting.isEmpty)
        let note = self.text(task.note)
        #expect(note.string("method") == "notifications/tasks/status")
        #expect(note.value("params")?.string("lastUpdatedAt") == "1970-01-01T00:17:40Z")
        let result = #"{"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"\#(task.id)"}},"action":"decline"}"#
        for number in [1, 3, 9] {
            #expect(task.result(for: number).map { self.text($0).value("result")?.description } == result)
        }
    }

    @Test func `that a client keeps go by its ids there and by ours here`() {
        var task = QuestionTask("mine", ttl: 60_000, now: Self.start)
        #expect(
            String(buffer: task.request("tasks/get", id: "q"))
                == #"{"jsonrpc":"2.0","id":"q","method":"tasks/get","params":{"taskId":"mine"}}"#)
        let state = #"{"taskId":"mine","status":"completed","ttl":1}"#
        let told = task.told(ByteBuffer(string: #"{"jsonrpc":"2.0","id":0,"result":\#(state)}"#))
        #expect(self.text(told).value("result")?.string("taskId") == task.id)
        let other = ByteBuffer(
            string: #"{"jsonrpc":"2.0","id":0,"result":{"taskId":"else","status":"working","ttl":1}}"#)
        #expect(task.told(other) == other)
        task.heard(TaskState(JSONText(trusting: ByteBuffer(string: state))))
        #expect(task.status == .completed)
    }

    @Test func `tokens of progress are of their kind, and of one question each`() throws {
        var tokens = QuestionTokens<String>()
        var given: [JSONText] = []
        for (asker, token) in [("a", "7"), ("b", "7"), ("a", #""t""#), ("b", #""t""#)] {
            let own = tokens.give(asker, 1, JSONText(trusting: ByteBuffer(string: token)))
            given.append(try #require(own))
        }
        #expect(Set(given.map(\.description)).count == 4)
        #expect(given.map(\.kind) == [.number, .number, .string, .string])
        #expect(given.map { tokens[$0]?.asker } == ["a", "b", "a", "b"])
        #expect(tokens[given[1]]?.token.description == "7" && tokens[JSONText(7)] == nil)
        tokens.forget { asker, number in asker == "a" && number == 1 }
        #expect(given.map { tokens[$0]?.asker } == [nil, "b", nil, "b"])
        for _ in 0..<QuestionTokens<String>.maximum { _ = tokens.give("c", 2, JSONText(1)) }
        let further = tokens.give("c", 2, JSONText(1))
        #expect(further == nil)
    }
}
