import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("Sign-ins that the owner's clients are told of", .timeLimit(.minutes(2))) struct SessionSignInTests {
    private static let call = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"s.t"}}"#
    private static let completion = "notifications/elicitation/complete"

    /// With a session of the owner's that listens and has been told of a page, which is waited for.
    private func withPage(_ body: (SessionBench, _ session: String, _ id: String) async throws -> Void) async throws {
        try await SessionBench.with { bench in
            try await bench.until { $0.upstream().watches.count == 1 }
            try await bench.run { $0.upstream().tell(phase: "sign-in needed") }
            let session = try await self.open(bench)
            try await bench.get("stream", session: session)
            try await bench.until { $0.answer("stream").isStreaming }
            while try await bench.value({ $0.signIns.isEmpty }) {
                try await self.post("first", bench, session)
                try await bench.until { $0.answer("first").isOver || !$0.signIns.isEmpty }
            }
            try await bench.run { scene in
                let invitation = SignInInvitation(
                    url: "https://as.example/", until: Int(WallClock.seconds()) + 600, issuer: "https://as.example")
                scene.answerSignIn(0, OAuthAnswer(isDone: true, text: "", invitation: invitation))
            }
            let told = try await bench.answer("first")
            #expect(told.errorCode == RequiredElicitations.code)
            let list = try #require(told.json.value("error")?.value("data")?.value("elicitations"))
            var id: String?
            list.elements { id = list[$0].string("elicitationId") }
            try await bench.until { $0.signIns.count == 2 }
            try await bench.run { #expect($0.signIns[1].request == .wait) }
            try await body(bench, session, try #require(id))
        }
    }

    private func open(_ bench: SessionBench) async throws -> String {
        let hello = SessionBench.initialize.replacing(
            #""capabilities":{}"#, with: #""capabilities":{"elicitation":{"url":{}}}"#)
        try await bench.run { $0.request("hello", .post, body: hello, isOwner: true) }
        return try #require(try await bench.answer("hello").session)
    }

    private func post(_ name: String, _ bench: SessionBench, _ session: String) async throws {
        try await bench.run { $0.request(name, .post, body: Self.call, session: session, isOwner: true) }
    }

    /// The supervisor says that the sign-in is over; the owner's calls are told of no page any more.
    private func end(_ bench: SessionBench, _ session: String, isDone: Bool) async throws {
        try await bench.run { $0.answerSignIn(1, OAuthAnswer(isDone: isDone, text: "")) }
        var code: Int?
        repeat {
            try await self.post("meanwhile", bench, session)
            try await bench.until { $0.answer("meanwhile").isOver || $0.signIns.count > 2 }
            code = try await bench.value { $0.answer("meanwhile").errorCode }
        } while code == RequiredElicitations.code
    }

    private static func completions(_ scene: Scene) -> [String] {
        scene.answer("stream").events.compactMap(\.body).filter { $0.contains(Self.completion) }
    }

    private static func completion(_ id: String) -> String {
        #"{"jsonrpc":"2.0","method":"\#(Self.completion)","params":{"elicitationId":"\#(id)"}}"#
    }

    @Test func `whoever knows of a page hears that somebody has signed in as soon as the server can be called`()
        async throws
    {
        try await self.withPage { bench, session, id in
            try await self.end(bench, session, isDone: true)
            try await bench.run {
                #expect($0.signIns.count == 2, "nobody is asked to sign in again")
                #expect(Self.completions($0) == [], "it would call in vain")
                $0.upstream().tell(phase: "connecting")
                $0.upstream().tell(phase: "ready")
                $0.upstream().publish([#"{"name":"t"}"#])
            }
            try await bench.until { !Self.completions($0).isEmpty }
            try await self.post("last", bench, session)
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.run {
                #expect(Self.completions($0) == [Self.completion(id)])
                $0.upstream().call(0)?.succeed()
            }
            _ = try await bench.answer("last")
        }
    }

    @Test func `where the server is not there in time it is told all the same`() async throws {
        try await self.withPage { bench, session, id in
            try await self.end(bench, session, isDone: true)
            try await bench.run { $0.worker?.keepHouse(time: WallClock.seconds() + 20) }
            try await bench.until { Self.completions($0) == [Self.completion(id)] }
        }
    }

    @Test func `a sign-in that came to nothing is told to nobody, and the next call has another page`() async throws {
        try await self.withPage { bench, session, _ in
            try await self.end(bench, session, isDone: false)
            try await bench.until { $0.signIns.count == 3 }
            try await bench.run {
                if case .begin = $0.signIns[2].request {} else { Issue.record("no page is asked for") }
                #expect(Self.completions($0) == [])
            }
        }
    }
}

extension Scene {
    /// The supervisor's answer to the question of this number.
    fileprivate func answerSignIn(_ number: Int, _ answer: OAuthAnswer) {
        self.signIns[number].exchange.end(header: .emptyObject, payload: answer.json.bytes)
    }
}
