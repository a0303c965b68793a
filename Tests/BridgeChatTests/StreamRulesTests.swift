import BridgeCore
import BridgeTesting
import NIOCore
import Testing

@testable import BridgeChat

/// What SDKs break on, held for every stream. The streams as a whole stand in Tests/chat-streams.
@Suite("Rules of streams") struct StreamRulesTests {
    /// Events as a decoder sees them.
    static func events(_ bytes: ByteBuffer) throws -> [(name: String, data: JSONText?)] {
        try String(buffer: bytes).components("\n\n").filter { !$0.isEmpty && !$0.hasPrefix(":") }.map { block in
            let lines = block.components("\n")
            let name = lines.first { $0.hasPrefix("event: ") }.map { String($0.dropFirst(7)) } ?? ""
            let data = try #require(lines.last).dropFirst("data: ".count)
            #expect(lines.count == (name.isEmpty ? 1 : 2), "\(block)")
            return (name, data == "[DONE]" ? nil : try json(String(data)))
        }
    }

    static func stream(
        _ dialect: ChatDialect, _ answer: ChatAnswer, _ more: String = "", options: ChatStream.Options = .init(),
        waits: Int = 0
    ) throws -> [(name: String, data: JSONText?)] {
        let request = try Samples.asking(dialect, more.isEmpty ? #""n":1"# : more)
        var stream = ChatStream(dialect, request: request, identity: Samples.identity, options: options)
        var bytes = ByteBuffer()
        for _ in 0..<waits { bytes.writeImmutableBuffer(stream.keepAlive()) }
        bytes.writeImmutableBuffer(stream.answer(answer.fitted(to: request, idPrefix: "c")))
        #expect(stream.answer(answer).readableBytes == 0)
        #expect(stream.fail(ChatFault(.internal, "x")).readableBytes == 0)
        #expect(stream.keepAlive().readableBytes == 0)
        return try Self.events(bytes)
    }

    static let tools = GoldenFilesTests.answers[4].answer

    @Test func `chunks begin with the role, end with a reason, and index calls without gaps`() throws {
        let events = try Self.stream(.completions, Self.tools)
        let deltas = events.compactMap { $0.data?.value("choices")?.elementTexts.first?.value("delta") }
        #expect(deltas.first?.description == #"{"role":"assistant","content":""}"#)
        let starts = deltas.compactMap { $0.value("tool_calls")?.elementTexts.first }.filter { $0.string("id") != nil }
        #expect(starts.map { $0.int("index") } == [0, 1])
        #expect(deltas.compactMap { $0.string("content") }.joined() == "I shall look.")
        let reasons = events.compactMap { $0.data?.value("choices")?.elementTexts.first?.string("finish_reason") }
        #expect(reasons == ["tool_calls"])
        #expect(events.last?.data == nil)
        #expect(
            events.dropLast().allSatisfy { $0.name.isEmpty && $0.data?.string("object") == "chat.completion.chunk" })
        #expect(events.dropLast().allSatisfy { $0.data?.value("choices")?.elementTexts.isEmpty == false })
    }

    @Test func `usage comes only to who asks for it, in a chunk of its own or on the last`() throws {
        let answer = GoldenFilesTests.answers[2].answer
        let more = #""stream_options":{"include_usage":true}"#
        let own = try Self.stream(.completions, answer, more)
        #expect(own.dropLast().last?.data?.value("choices") == .emptyArray)
        #expect(own.dropLast().last?.data?.value("usage")?.int("prompt_tokens") == 1)
        var options = ChatStream.Options()
        options.putsUsageOnFinish = true
        let last = try Self.stream(.completions, answer, more, options: options).dropLast().last?.data
        #expect(last?.value("usage") != nil && last?.value("choices")?.elementTexts.isEmpty == false)
        #expect(try Self.stream(.completions, answer).allSatisfy { $0.data?.value("usage") == nil })
    }

    @Test func `events of Responses are numbered from 0, and begin with response created`() throws {
        for waits in 0..<3 {
            let events = try Self.stream(.responses, Self.tools, waits: waits)
            #expect(events.map { $0.data?.int("sequence_number") } == Array(0..<events.count))
            #expect(events.allSatisfy { $0.name == $0.data?.string("type") })
            #expect(events.prefix(2).map(\.name) == ["response.created", "response.in_progress"])
            #expect(events.last?.name == "response.completed")
        }
    }

    @Test func `messages start empty, index blocks without gaps and tell usage twice`() throws {
        let events = try Self.stream(.messages, Self.tools)
        #expect(events.first?.data?.value("message")?.value("content") == .emptyArray)
        #expect(events.first?.data?.value("message")?.value("usage")?.int("input_tokens") ?? 0 > 0)
        #expect(events.filter { $0.name == "content_block_start" }.map { $0.data?.int("index") } == [0, 1, 2])
        #expect(events.map(\.name).suffix(2) == ["message_delta", "message_stop"])
        #expect(events.allSatisfy { $0.name == $0.data?.string("type") })
        var options = ChatStream.Options()
        options.endsMessagesWithDone = true
        let done = try Self.stream(.messages, Self.tools, options: options).last
        #expect(done?.data == nil && done?.name == "")
    }

    @Test(arguments: ChatDialect.allCases)
    func `an error ends the stream, and nothing follows`(dialect: ChatDialect) throws {
        var stream = ChatStream(dialect, request: try Samples.asking(dialect, #""n":1"#), identity: Samples.identity)
        #expect(!stream.hasBegun)
        let events = try Self.events(stream.fail(ChatFault(.sourceLost, "gone")))
        #expect(stream.hasBegun)
        #expect(events.last?.data?.description.contains("gone") == true)
        #expect(events.last?.data?.description.contains("source_lost") == true)
        #expect(
            events.map(\.name).last
                == ["", "response.failed", "error"][ChatDialect.allCases.firstIndex(of: dialect) ?? 0])
        #expect(stream.keepAlive().readableBytes == 0)
    }

    @Test func `pieces are words, and together they are the text`() {
        let words = Array(TextPieces("The quick brown fox jumps over the lazy dog and sleeps."))
        #expect(words == ["The quick brown fox jumps ", "over the lazy dog and sleeps."])
        var random = SeededRandom(seed: 7)
        let alphabet: [Character] = ["a", "b", " ", "\n", "é", "你", "👩‍👩‍👧‍👦", "\r\n", "e\u{301}", "\t"]
        for length in 0..<300 {
            let text = String((0..<length).map { _ in alphabet.randomElement(using: &random) ?? "x" })
            let pieces = Array(TextPieces(text))
            #expect(pieces.joined() == text)
            #expect(pieces.allSatisfy { !$0.isEmpty })
            #expect(pieces.map(\.count).reduce(0, +) == text.count)
        }
        #expect(Array(TextPieces(String(repeating: "word ", count: 100_000))).count <= 220)
        #expect(Array(TextPieces(String(repeating: "你", count: 100_000))).count <= 220)
    }
}

extension String {
    /// What stands between separators.
    func components(_ separator: String) -> [String] {
        self.split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
