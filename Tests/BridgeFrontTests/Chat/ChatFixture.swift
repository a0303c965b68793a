import BridgeAccess
import BridgeChat
import BridgeConfiguration
import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeFront

/// A front with one token for the model APIs.
struct ChatFixture: Sendable {
    let front: FrontFixture
    let secret: String
    let store: StoreInPlace

    static func run(
        scope: String = "chat", models: String? = nil, limits: TokenLimits = .none, isSandboxed: Bool = true,
        answer: @escaping FakeSession.Answer = ChatFixture.silent,
        configure: (inout FrontConfiguration) -> Void = { _ in }, _ test: (ChatFixture) async throws -> Void
    ) async throws {
        let key = TokenKey.random()
        let secret = TokenSecret.random()
        let store = StoreInPlace()
        store.stock.tokens = [
            Token(
                id: .random(), name: "t", scope: try TokenScope(scope),
                models: try models.map { try ModelPatterns($0) } ?? .all, limits: limits, created: 1,
                isSandboxed: isSandboxed, hash: key.hash(secret))
        ]
        try await FrontFixture.run(
            stores: FrontStores(key: key, store: store), answer: answer, configure: configure
        ) { front in
            try await test(ChatFixture(front: front, secret: secret.text, store: store))
        }
    }

    /// Leaves every exchange open.
    static let silent: FakeSession.Answer = { _, _, _ in }

    func ask(
        _ dialect: ChatDialect, _ body: String, _ fields: [String] = [], path: String? = nil
    ) -> String {
        HTTPText.post(
            body, ["Authorization: Bearer \(self.secret)"] + fields, path: path ?? ChatTarget.ask(dialect).name)
    }

    func get(_ path: String, _ fields: [String] = []) -> String {
        HTTPText.request("GET \(path)", ["Authorization: Bearer \(self.secret)"] + fields)
    }

    /// A body that asks one thing.
    static func body(
        _ dialect: ChatDialect, model: String = "m", text: String = "hello there", more: String = ""
    ) -> String {
        let messages = #"[{"role":"user","content":"\#(text)"}]"#
        let asked = dialect == .responses ? #""input":\#(messages)"# : #""messages":\#(messages)"#
        let limit = dialect == .messages ? #","max_tokens":1000"# : ""
        return #"{"model":"\#(model)",\#(asked)\#(limit)\#(more.isEmpty ? "" : ",")\#(more)}"#
    }

    /// All rows of the audit, once there are so many.
    func rows(_ count: Int) async throws -> [AuditRow] {
        while true {
            let rows = try await self.front.onLoop { front in
                front.worker.state.value.audit.flush()
                return self.store.written.flatMap(\.self)
            }
            if rows.count >= count { return rows }
            await Task.yield()
        }
    }
}

extension RawClient.Reply {
    var json: JSONText { get throws { try JSONText(validating: ByteBuffer(string: self.body)) } }

    /// The stable word of an error, where the dialect has it.
    func word(_ dialect: ChatDialect) throws -> String? {
        let error = try self.json.value("error")
        return dialect == .messages ? error?.value("details")?.string("error_code") : error?.string("code")
    }
}
