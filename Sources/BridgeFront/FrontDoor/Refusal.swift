import BridgeCore
import HTTPTypes
import Hummingbird
import NIOCore

/// Why a request is not served: a status code, a stable word for programs and a sentence for people.
struct Refusal: Error, Sendable, Equatable {
    /// In which form the caller reads errors.
    enum Dialect: Sendable {
        /// `{"error":{"code":…,"message":…}}`
        case plain
        /// A JSON-RPC error response; the id is raw JSON, `null` when the request's own is not known.
        case rpc(id: ByteBuffer?)
        /// `{"error":"…","code":…}`: the management routes have always answered so.
        case management
    }

    let status: HTTPResponse.Status
    let code: String
    let message: String
    /// The JSON-RPC error code.
    var rpcCode = -32000
    /// Further members of a JSON-RPC error's `data`.
    var details: JSONText?
    var header: HTTPField?
    /// The connection cannot be used for a further request.
    var closes = false

    static func == (left: Refusal, right: Refusal) -> Bool {
        left.status == right.status && left.code == right.code && left.rpcCode == right.rpcCode
    }

    func body(_ dialect: Dialect) -> ByteBuffer {
        switch dialect {
        case .rpc(let id):
            RPCReply.error(id: id, code: self.rpcCode, message: self.message, data: self.data)
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

    private var data: JSONText {
        JSONWriter.object { data in
            data.member("code", self.code)
            self.details?.members { key, value in data.member(key.string, self.details?[value]) }
        }
    }

    func response(_ dialect: Dialect) -> Response {
        var fields = HTTPFields()
        fields.append(.json)
        if let header { fields.append(header) }
        if self.closes { fields.append(.close) }
        return Response(status: self.status, headers: fields, body: ResponseBody(byteBuffer: self.body(dialect)))
    }
}

extension HTTPField {
    static let json = HTTPField(name: .contentType, value: "application/json")
    static let close = HTTPField(name: .connection, value: "close")
}
