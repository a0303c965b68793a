import BridgeCore
import NIOCore

/// Why a request is not served: a fault as it is told in this case, and what HTTP says with it.
struct Refusal: Error, Sendable, Hashable {
    /// In which form the caller reads errors.
    enum Dialect: Sendable {
        /// `{"error":{"code":…,"message":…}}`
        case plain
        /// A JSON-RPC error response; the id is raw JSON, and there is none where the request's own has not been read.
        case rpc(id: ByteBuffer?)
        /// `{"error":"…","code":…}`: the management routes have always answered so.
        case management
    }

    /// A header field that goes with it.
    struct Field: Sendable, Hashable {
        let name: String
        let value: String
    }

    let told: ToldFault
    let field: Field?
    /// The connection cannot be used for a further request.
    let closes: Bool
    let status: Int

    /// - Parameter status: where it is not the fault's own.
    init(_ told: ToldFault, field: Field? = nil, closes: Bool = false, status: Int? = nil) {
        self.told = told
        self.field = field
        self.closes = closes
        self.status = status ?? told.fault.status
    }

    /// Whether it says that somebody is not known. There are routes that have something to say even to them.
    var isAboutToken: Bool { [.tokenRequired, .invalidToken, .tokensUnreadable].contains(self.told.fault) }

    /// The same, as it travels within a session that goes on: there is a client that takes any other status for the end
    /// of its session.
    var withinSession: Refusal { Refusal(self.told, field: self.field, closes: self.closes, status: 200) }

    /// The stable word for programs.
    var code: String { self.told.word }
    var message: String { self.told.message }

    func body(_ dialect: Dialect) -> ByteBuffer {
        switch dialect {
        case .rpc(let id): self.told.reply(to: id)
        case .plain:
            JSONWriter.object { body in
                body.memberObject("error") { error in
                    error.member("code", self.code)
                    error.member("message", self.message)
                }
            }.bytes
        case .management:
            JSONWriter.object { body in
                body.member("error", self.message)
                body.member("code", self.code)
            }.bytes
        }
    }
}
