import BridgeCore
import NIOCore
import Testing

@testable import BridgeChat

/// What a dialect can say comes back as it went, and nothing that anybody sends brings the room down.
@Suite("There and back") struct RoundTripTests {
    /// What a dialect cannot tell apart.
    static func comparable(_ request: ChatRequest, in dialect: ChatDialect) -> ChatRequest {
        var request = request
        request.remarks = ChatRemarks()
        if dialect == .messages { request.maximumTokens = request.maximumTokens ?? 4_096 }
        guard dialect == .responses else { return request }
        // Calls are items of their own: a turn of calls alone belongs to the turn of the assistant before it.
        var turns: [ChatTurn] = []
        for turn in request.turns {
            if turn.role == .assistant, case .toolUse = turn.blocks.first, turns.last?.role == .assistant {
                turns[turns.count - 1].blocks += turn.blocks
            } else {
                turns.append(turn)
            }
        }
        request.turns = turns
        return request
    }

    @Test(arguments: ChatDialect.allCases)
    func `a request comes back from its body`(dialect: ChatDialect) throws {
        for seed in 0..<400 {
            var random = RandomChats(seed: UInt64(seed))
            let request = random.request()
            let body = try dialect.body(of: request)
            #expect(try JSONText(validating: body.bytes) == body)
            let read = try dialect.request(from: body)
            #expect(Self.comparable(read, in: dialect) == Self.comparable(request, in: dialect), "seed \(seed)")
            #expect(read.remarks.ignored.isEmpty)
        }
    }

    @Test(arguments: ChatDialect.allCases)
    func `members that were only carried go along where they are wanted`(dialect: ChatDialect) throws {
        let request = try Samples.asking(dialect, #""top_p":0.5,"x":{"y": [1]}"#)
        let again = try dialect.request(from: try dialect.body(of: request, keepsExtras: true))
        #expect(again.extras == request.extras)
        #expect(try dialect.request(from: try dialect.body(of: request)).extras.isEmpty)
    }

    @Test(arguments: ChatDialect.allCases)
    func `an answer comes back from its body`(dialect: ChatDialect) throws {
        for seed in 0..<400 {
            var random = RandomChats(seed: UInt64(seed))
            let answer = random.answer()
            let identity = ReplyIdentity(requestID: "r", created: 0, model: answer.model)
            let body = dialect.body(of: answer, to: ChatRequest(model: "m"), identity: identity)
            #expect(try JSONText(validating: body.bytes) == body)
            #expect(try dialect.answer(from: body) == answer, "seed \(seed)")
        }
    }

    @Test func `a request comes back from the params of a sampling, as far as they can say it`() throws {
        for seed in 0..<400 {
            var random = RandomChats(seed: UInt64(seed))
            var request = random.request()
            // System texts of later turns and a forced tool look different there; usage, user and streaming are not there.
            request.turns.removeAll { $0.role == .system }
            if case .tool = request.toolChoice { request.toolChoice = .automatic }
            request.user = nil
            request.isStreamed = false
            request.maximumTokens = 7
            let params = try SamplingParams(
                request, preferences: ModelPreferences(hints: [request.model]), maximumTokens: 7,
                abilities: .init(takesTools: true))
            #expect(try JSONText(validating: params.text.bytes) == params.text)
            #expect(try SamplingParams.read(params.text) == request, "seed \(seed)")
        }
    }

    @Test func `an answer comes back from the result of a sampling`() throws {
        for seed in 0..<400 {
            var random = RandomChats(seed: UInt64(seed))
            var answer = random.answer()
            answer.usage = ChatUsage()
            #expect(try SamplingResult.read(SamplingResult.text(answer)) == answer, "seed \(seed)")
        }
    }

    @Test func `whatever is sent is read or refused, and what is read can be sampled, balanced`() throws {
        var read = 0
        for seed in 0..<2_500 {
            var random = RandomChats(seed: UInt64(seed))
            let inner = "[" + (0..<1 + random.below(6)).map { _ in random.nearlyMessage() }.joined(separator: ",") + "]"
            let text = try json(
                random.chance(4)
                    ? random.anything()
                    : #"{"model":"m","messages":\#(inner),"input":\#(inner),"stop":\#(random.anything(6))}"#)
            _ = try? SamplingResult.read(text)
            _ = try? SamplingParams.read(text)
            for dialect in ChatDialect.allCases {
                _ = try? dialect.answer(from: text)
                guard let request = try? dialect.request(from: text) else { continue }
                read += 1
                for abilities in [
                    SamplingAbilities(takesTools: true, takesAudio: true), SamplingAbilities(takesLists: false),
                ] {
                    guard let params = try? Samples.params(request, abilities).text else { continue }
                    #expect(try JSONText(validating: params.bytes) == params)
                    try BalanceTests.expectBalance(try SamplingConversation(request.turns, for: abilities).turns)
                }
            }
        }
        #expect(read > 500)
    }

    @Test func `a stop scanner finds what is there, in pieces of any size`() {
        for seed in 0..<2_000 {
            var random = RandomChats(seed: UInt64(seed))
            let letters: [Character] = ["a", "b", "é"]
            let text = String((0..<20).map { _ in letters[random.below(3)] })
            let sequences = (0...random.below(2)).map { _ in
                String((0...random.below(3)).map { _ in letters[random.below(3)] })
            }
            var scanner = StopScanner(sequences)
            var output = ""
            var rest = text[...]
            while !rest.isEmpty {
                let piece = rest.prefix(1 + random.below(4))
                rest = rest.dropFirst(piece.count)
                output += scanner.push(String(piece))
            }
            output += scanner.finish()
            // What is complete first: the shortest beginning of the text that ends with a sequence.
            let whole = text.indices.lazy.map { text[...$0] }.compactMap { beginning in
                let ending = sequences.filter { beginning.hasSuffix($0) }.map(\.count).max()
                return ending.map { beginning.dropLast($0) }
            }.first
            #expect(output == String(whole ?? text[...]), "seed \(seed)")
            #expect((scanner.match != nil) == (whole != nil))
        }
    }
}
