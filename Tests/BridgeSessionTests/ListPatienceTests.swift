import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("How long lists wait for servers", .timeLimit(.minutes(2))) struct ListPatienceTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func end(_ phase: UpstreamPhase, isBare: Bool, after seconds: Int64, wait: Seconds = 10) -> TimeAmount? {
        ListPatience(wait, from: Self.start).end(in: phase, isBare: isBare, now: Self.start + .seconds(seconds))
            .map { $0 - Self.start }
    }

    @Test func `longer for one that is being started, while nobody has listed anything`() {
        #expect(self.end(.connecting, isBare: false, after: 9) == .seconds(10))
        #expect(self.end(.connecting, isBare: false, after: 10) == nil)
        #expect(self.end(.connecting, isBare: true, after: 10) == .seconds(30))
        #expect(self.end(.connecting, isBare: true, after: 30) == nil)
        for phase in [UpstreamPhase.ready, .idle] {
            #expect(self.end(phase, isBare: true, after: 9) == .seconds(10))
            #expect(self.end(phase, isBare: true, after: 10) == nil)
        }
    }

    @Test(arguments: [
        UpstreamPhase.backoff, .failed, .stopped, .signIn, .signingIn, .tokensRefused, .misconfigured,
    ])
    func `not at all for one that has failed`(phase: UpstreamPhase) {
        for isBare in [false, true] { #expect(self.end(phase, isBare: isBare, after: 0) == nil) }
    }

    @Test func `not at all where they are told not to`() {
        for isBare in [false, true] { #expect(self.end(.connecting, isBare: isBare, after: 0, wait: 0) == nil) }
    }

    @Test func `until each has listed or failed, or one has listed something and the others have had their time`()
        async throws
    {
        try await SessionBench.with(upstreams: ["a", "b"], { $0.listWait = 3_600 }) { bench in
            try await bench.until { !$0.upstream("a").watches.isEmpty && !$0.upstream("b").watches.isEmpty }
            try await bench.run { scene in
                let directory = try #require(scene.worker?.directory)
                // Their time began a little before now.
                #expect(directory.awaitedUntil(.tools, now: .now() + .hours(1)) != nil)
                #expect(directory.awaitedUntil(.tools, now: .now() + .hours(3)) == nil)
                scene.upstream("a").publish([#"{"name":"t"}"#])
            }
            try await bench.until { $0.worker?.directory.section(.tools).entries.isEmpty == false }
            try await bench.run { scene in
                let directory = try #require(scene.worker?.directory)
                #expect(directory.awaitedUntil(.tools, now: .now()) != nil)
                #expect(directory.awaitedUntil(.tools, now: .now() + .hours(1)) == nil)
                scene.upstream("b").tell(phase: "failed")
            }
            try await bench.until { $0.worker?.directory.awaitedUntil(.tools, now: .now()) == nil }
        }
    }
}
