/// Why a JSON value is not a JSON-RPC message as MCP has them.
package enum RPCError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not an object. A batch is an array: its elements are messages, it is none.
    case notAnObject
    /// `jsonrpc` is missing or not `"2.0"`.
    case badVersion
    /// `id` is neither a string nor a number spelled as a plain integer (`7`; not `7.0` or `7e0`), or is missing from a
    /// result. `null` is accepted only in an error response.
    case badID
    /// `method` is not a string.
    case badMethod
    /// `params` is not an object.
    case badParams
    /// `result` is not an object.
    case badResult
    /// `error` is not an object with an integer `code` and a string `message`.
    case badError
    /// A member that we act on occurs twice: two readers of such a message may understand different things.
    case duplicateMember
    /// Neither request, notification nor response, or more than one of them.
    case shapeless

    package var description: String {
        switch self {
        case .notAnObject: "the message is not an object"
        case .badVersion: "jsonrpc must be \"2.0\""
        case .badID: "id must be a string or an integer"
        case .badMethod: "method must be a string"
        case .badParams: "params must be an object"
        case .badResult: "result must be an object"
        case .badError: "error must be an object with a code and a message"
        case .duplicateMember: "a member occurs twice"
        case .shapeless: "the message is neither a request, a notification nor a response"
        }
    }
}
