import NIOCore
import Testing

@testable import BridgeCore

@Suite("Headers of the link") struct LinkHeaderTests {
    private static let odd = [
        "", "a", "plain", #"quo"te"#, #"back\slash"#, "line\nbreak\r\t\u{0}\u{1F}", "é日😀\u{7F}", #"","op":"configure"#,
        String(repeating: "x", count: 200) + #"\""#,
    ]

    private func check<Header: LinkHeader & Equatable>(_ header: Header, _ spelling: String? = nil) throws {
        let text = header.text
        #expect(try JSONText(validating: text.bytes) == text, "\(header)")
        if let spelling { #expect(text.description == spelling) }
        #expect(Header(text) == header)
        // Within a larger buffer, as it arrives.
        var around = ByteBuffer(string: "[")
        around.writeImmutableBuffer(text.bytes)
        around.writeString("\"]")
        let slice = try #require(around.getSlice(at: 1, length: text.count))
        #expect(Header(JSONText(trusting: slice)) == header)
    }

    @Test func `of the control link are read as they were written`() throws {
        try self.check(WorkerRequest.configure, #"{"op":"configure"}"#)
        try self.check(WorkerRequest.drain(milliseconds: 15_000), #"{"op":"drain","ms":15000}"#)
        try self.check(WorkerRequest.memory)
        try self.check(WorkerRequest.access)
        try self.check(WorkerAnswer(), "{}")
        try self.check(WorkerReport.status)
        for request in [ControlRequest.health, .memory, .servers, .addServers, .reload, .access, .status(fresh: false)]
        {
            try self.check(request)
        }
        try self.check(ControlRequest.status(fresh: true), #"{"op":"status","fresh":true}"#)
        for string in Self.odd {
            try self.check(ControlRequest.removeServer(name: string))
            try self.check(WorkerAnswer(refusal: string))
            try self.check(ControlAnswer(404, text: string))
        }
        for status in [0, 200, -1, Int.max, .min] { try self.check(ControlAnswer(status)) }
    }

    @Test func `of a request for a model are read as they were written`() throws {
        try self.check(ChatOpening.models, #"{"op":"models"}"#)
        try self.check(
            ChatOpening.ask(
                ChatAsk(
                    requestID: "r", principal: "local", model: "m", maximumTokens: 5, needs: [.tools, .lists],
                    timeout: 9)),
            #"{"op":"chat","rid":"r","who":"local","model":"m","max":5,"needs":5,"tmo":9}"#)
        try self.check(ChatNote.alive)
        for flag in [false, true] { try self.check(ChatModels(isReady: flag)) }
        for string in Self.odd {
            try self.check(ChatOpening.ask(ChatAsk(requestID: "", principal: string, model: string)))
            try self.check(ChatNote.asked(source: string))
            for names in [[], [string], [string, "second", string]] {
                try self.check(
                    ChatEnd.answered(ChatSourceRemarks(source: string, ignored: names, approximated: names.reversed())))
            }
            try self.check(ChatEnd.failed(ChatFailure(string, string)))
            try self.check(
                ChatEnd.failed(
                    ChatFailure(
                        "no_source", string, param: string, retryAfter: 5, detail: string, sourceWasAsked: true,
                        source: string)))
        }
    }

    @Test func `between front and session are read as they were written`() throws {
        for operation in [SessionRequest.Operation.post, .get, .delete, .tools, .counts] {
            try self.check(SessionRequest(operation, requestID: "r"))
            for string in Self.odd {
                try self.check(SessionRequest(operation, requestID: string, sessionID: string))
                try self.check(SessionRequest(operation, requestID: "r", principal: string, lastEventID: string))
                try self.check(SessionRequest(operation, requestID: "", names: string))
                try self.check(SessionRequest(operation, requestID: "", mayLend: true, lends: true, names: string))
            }
        }
        try self.check(
            SessionRequest(.get, requestID: "r", sessionID: "s", principal: "p", names: "dot", lastEventID: "7"),
            #"{"op":"get","rid":"r","sid":"s","who":"p","names":"dot","leid":"7"}"#)
        for rawValue in [1, 16_384, Int.max] {
            let number = try #require(BindingNumber(rawValue: rawValue))
            try self.check(SessionOpening.bound(number, requestID: ""), #"{"b":\#(rawValue)}"#)
            try self.check(SessionOpening.bound(number, requestID: "r"), #"{"b":\#(rawValue),"rid":"r"}"#)
            let request = SessionRequest(.post, requestID: "", sessionID: "s", principal: "p", binding: number)
            try self.check(request, #"{"op":"post","bind":\#(rawValue),"rid":"","sid":"s","who":"p"}"#)
            try self.check(SessionOpening.whole(request))
        }
        try self.check(SessionOpening.whole(SessionRequest(.get, requestID: "r")))
        for isPriming in [false, true] {
            try self.check(SessionEvent(isPriming: isPriming))
            for string in Self.odd {
                try self.check(SessionEvent(eventID: string, isPriming: isPriming))
                try self.check(SessionEvent(isPriming: isPriming, sessionID: string))
                try self.check(SessionEvent(eventID: string, isPriming: isPriming, isEndless: true))
            }
        }
        #expect(SessionEvent(SessionEvent.open) == SessionEvent())
        #expect(SessionEnd.answered.description == #"{"st":200}"#)
        for string in Self.odd {
            try self.check(SessionEnd(200, sessionID: string))
            try self.check(SessionEnd(404, eventID: string, failure: string))
        }
    }

    @Test func `between session and upstreams are read as they were written`() throws {
        for request in [
            UpstreamRequest.watch, .retry, .level, .propose(revision: "2025-06-18", seconds: 9),
            .found(transport: "sse"),
        ] {
            try self.check(request)
        }
        for string in Self.odd {
            for name in [nil, JSONText(string), JSONText(literal: #"{"a":[1,"}"]}"#)] {
                let call = UpstreamCallHeader(
                    requestID: string, timeout: 30_000, principal: string, session: string, name: name)
                try self.check(UpstreamRequest.call(call))
            }
            try self.check(UpstreamEnd(failure: string))
            try self.check(UpstreamNews.catalogue(of: string))
        }
        try self.check(
            UpstreamRequest.call(UpstreamCallHeader(requestID: "", timeout: nil, principal: "", session: nil)))
        for message in [UpstreamMessage.progress, .log, .ask(1), .withdraw(.max)] { try self.check(message) }
        for answer in [QuestionAnswer.answered(0), .declined(7), .gone(.max), .note] { try self.check(answer) }
        for news in [UpstreamNews.state, .identity, .note(for: nil), .note(for: "1a")] { try self.check(news) }
        try self.check(UpstreamEnd(), "{}")
        try self.check(UpstreamEnd(isError: true))
        try self.check(UpstreamRequest.asks)
    }

    @Test func `are nothing where the operation is unknown, absent or no string`() {
        let bad = [
            "{}", #"{"op":"fly"}"#, #"{"op":""}"#, #"{"op":7}"#, #"{"op":null}"#, #"{"op":{"op":"get"}}"#,
            #"{"rid":"1","op":"get"}"#, #"{"b":0}"#, #"{"b":-1}"#, #"{"b":"1"}"#, #"{"b":1.0}"#, #"{"t":"fly"}"#,
            #"{"t":[]}"#, #"{ "op":"get"}"#, #"{"op" :"get"}"#, "[]", "7",
            "\"",
        ]
        for text in bad.map({ JSONText(trusting: ByteBuffer(string: $0)) }) {
            #expect(WorkerRequest(text) == nil, "\(text)")
            #expect(WorkerReport(text) == nil)
            #expect(ControlRequest(text) == nil)
            #expect(SessionRequest(text) == nil)
            #expect(SessionOpening(text) == nil)
            #expect(UpstreamRequest(text) == nil)
            #expect(UpstreamMessage(text) == nil)
            #expect(UpstreamNews(text) == nil)
        }
    }

    @Test func `lack what is not in its place`() {
        func read(_ text: String) -> SessionRequest? { SessionRequest(JSONText(trusting: ByteBuffer(string: text))) }
        // The session after the principal: it ends the reading, and so does a member that nobody knows.
        #expect(
            read(#"{"op":"get","rid":"r","who":"w","sid":"s","leid":"7"}"#)
                == .init(.get, requestID: "r", principal: "w"))
        #expect(read(#"{"op":"get","new":1,"rid":"r"}"#) == SessionRequest(.get, requestID: ""))
        #expect(read(#"{"op":"get","rid":"a","rid":"b","who":"w"}"#) == SessionRequest(.get, requestID: "a"))
        // Another kind of value counts as absent, and what stands behind it is read.
        #expect(read(#"{"op":"get","rid":5,"sid":null,"who":"w"}"#) == .init(.get, requestID: "", principal: "w"))
        #expect(SessionEnd(JSONText(literal: #"{"st":1.5,"sid":"s"}"#)) == SessionEnd(200, sessionID: "s"))
        #expect(SessionEnd(JSONText(literal: #"{"st":99999999999999999999}"#)) == SessionEnd(200))
        #expect(SessionEnd(JSONText(literal: "{}")) == SessionEnd(200))
        #expect(ControlRequest(JSONText(literal: #"{"op":"status","fresh":1}"#)) == .status(fresh: false))
    }

    @Test func `are read as they were written, whatever is in them`() throws {
        var generator = JSONGenerator(seed: 11)
        func string() -> String? {
            generator.below(4) == 0 ? nil : JSONText(trusting: ByteBuffer(string: generator.string())).string
        }
        for _ in 0..<3_000 {
            try self.check(
                SessionRequest(
                    .post, requestID: string() ?? "", sessionID: string(), principal: string() ?? "", names: string(),
                    lastEventID: string()))
            try self.check(
                SessionEnd(generator.below(1_000), sessionID: string(), eventID: string(), failure: string()))
            let name = generator.below(2) == 0 ? nil : JSONText(trusting: ByteBuffer(string: generator.value(depth: 3)))
            let timeout = generator.below(2) == 0 ? nil : generator.below(1 << 40) - (1 << 39)
            try self.check(
                UpstreamRequest.call(
                    UpstreamCallHeader(
                        requestID: string() ?? "", timeout: timeout, principal: string() ?? "", session: string(),
                        name: name)))
        }
    }

    /// In buffers of just their size: a sanitizer would see a read past them.
    @Test func `never crash who reads them, however damaged`() {
        var generator = JSONGenerator(seed: 12)
        let samples = [
            SessionRequest(.get, requestID: "r\"\n", sessionID: "s", principal: "é", names: "dot", lastEventID: "7")
                .text,
            UpstreamRequest.call(
                .init(requestID: "r", timeout: 5, principal: "p", session: "s", name: JSONText(literal: #"["\"",{}]"#))
            ).text,
            SessionOpening.bound(BindingNumber(slot: 3, count: 9), requestID: "r\"\n").text,
            SessionEnd(200, sessionID: "s", eventID: "e\\", failure: "f").text,
            ControlRequest.status(fresh: true).text, WorkerRequest.drain(milliseconds: -5).text,
            UpstreamNews.catalogue(of: "tools").text,
        ].map { Array($0.bytes.readableBytesView) }
        for sample in samples {
            for length in 0...sample.count { self.readAll(Array(sample.prefix(length))) }
        }
        for round in 0..<40_000 { self.readAll(generator.damaged(samples[round % samples.count])) }
    }

    private func readAll(_ bytes: [UInt8]) {
        let text = JSONText(trusting: ByteBuffer(bytes: bytes))
        _ = WorkerRequest(text)
        _ = WorkerAnswer(text)
        _ = ControlRequest(text)
        _ = ControlAnswer(text)
        _ = SessionRequest(text)
        _ = SessionOpening(text)
        _ = SessionEvent(text)
        _ = SessionEnd(text)
        _ = UpstreamEnd(text)
        _ = UpstreamNews(text)
        if case .call(let call) = UpstreamRequest(text), let name = call.name {
            _ = name.string
            name.members { key, _ in _ = key.string }
            name.elements { _ in }
        }
    }
}
