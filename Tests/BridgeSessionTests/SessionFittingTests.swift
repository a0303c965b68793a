import BridgeCore
import Testing

@testable import BridgeSession

@Suite("Results on their way to older clients", .timeLimit(.minutes(2))) struct SessionFittingTests {
    @Test(arguments: [("2024-11-05", "text"), ("2025-03-26", "audio"), ("2025-11-25", "audio")])
    func `have no kind of content that the client's revision does not have`(version: String, kind: String)
        async throws
    {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let result = #"{"content":[{"type":"audio","data":"UklGRg==","mimeType":"audio/wav"}]}"#
            try await bench.run { $0.upstream().onCall = { $0.succeed(result) } }
            let answer = try await bench.post(SessionCallTests.call(), session: try await bench.open(version: version))
            let content = answer.json.value("result")?.value("content")
            var kinds: [String?] = []
            content?.elements { kinds.append(content?[$0].string("type")) }
            #expect(answer.status == 200 && kinds == [kind])
        }
    }
}
