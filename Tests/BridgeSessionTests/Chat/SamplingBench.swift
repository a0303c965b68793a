import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

/// What a client does that lends a model, and what programs do that want one.
extension SessionBench {
    static let neutral =
        #"{"messages":[{"role":"user","content":{"type":"text","text":"hi"}}],"includeContext":"none"}"#
    static let completion =
        #"{"role":"assistant","content":{"type":"text","text":"hello"},"model":"m-1","stopReason":"endTurn"}"#

    /// A session of a client that can sample.
    func openSampler(
        _ name: String = "vs", mayLend: Bool = true, capabilities: String = #"{"sampling":{"tools":{}}}"#,
        version: String = "2025-11-25", principal: String = "local"
    ) async throws -> String {
        let body = Self.initialize.replacing("2025-11-25", with: version)
            .replacing(#""capabilities":{}"#, with: #""capabilities":\#(capabilities)"#)
            .replacing(#""test""#, with: #""\#(name)""#)
        try await self.send("init", .post, body: body, session: nil, mayLend: mayLend, principal: principal)
        return try #require(try await self.answer("init").session)
    }

    func send(
        _ name: String, _ operation: SessionRequest.Operation, body: String? = nil, session: String?,
        mayLend: Bool = true, principal: String = "local", lastEvent: String? = nil
    ) async throws {
        try await self.run {
            $0.request(
                name, operation, body: body, session: session, principal: principal, lastEvent: lastEvent,
                mayLend: mayLend)
        }
    }

    /// A client that listens, under this name, and is asked nothing yet.
    func listen(
        _ name: String, session: String, mayLend: Bool = true, principal: String = "local", lastEvent: String? = nil
    ) async throws {
        try await self.send(
            name, .get, session: session, mayLend: mayLend, principal: principal, lastEvent: lastEvent)
        try await self.until { $0.answer(name).isStreaming }
    }

    static func hookCall(_ id: Int = 1, more: String = "") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"hook","arguments":{}\#(more)}}"#
    }

    /// Asks for a model, under this name.
    func chat(
        _ name: String, model: String = "", principal: String = "local", needs: ChatNeeds = [],
        maximumTokens: Int? = nil, timeout: Int? = nil, params: String = SessionBench.neutral
    ) async throws {
        let ask = ChatAsk(
            requestID: name, principal: principal, model: model, maximumTokens: maximumTokens, needs: needs,
            timeout: timeout)
        try await self.run { $0.chat(name, .ask(ask), params) }
    }

    /// Waits for the end of a request.
    func ended(_ name: String) async throws {
        try await self.until { $0.chat(name).isOver }
    }

    /// The ids of the questions that have come on a stream so far, in their order.
    func questions(on name: String, count: Int) async throws -> [JSONText] {
        try await self.until { $0.questions(on: name).count >= count }
        return try await self.value { $0.questions(on: name) }
    }

    /// Answers a question with a result, or an error.
    func reply(
        _ question: JSONText, _ answer: String = #""result":\#(SessionBench.completion)"#, session: String,
        principal: String = "local"
    ) async throws {
        let id = try #require(question.string("id"))
        try await self.send(
            "reply", .post, body: #"{"jsonrpc":"2.0","id":"\#(id)",\#(answer)}"#, session: session,
            principal: principal)
        #expect(try await self.answer("reply").status == 202)
    }

    /// Time passes: seconds from now.
    func pass(_ seconds: Int64) async throws {
        try await self.run { $0.worker?.keepHouse(now: .now() + .seconds(seconds)) }
    }
}

extension Scene {
    /// What was asked on a stream.
    func questions(on name: String) -> [JSONText] {
        self.messages(on: name).filter { $0.string("method") == "sampling/createMessage" }
    }

    func messages(on name: String) -> [JSONText] {
        self.answer(name).events.compactMap { event in
            event.body.flatMap { try? JSONText(validating: ByteBuffer(string: $0)) }
        }
    }
}
