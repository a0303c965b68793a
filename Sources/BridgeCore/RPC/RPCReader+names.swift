extension RPCReader {
    /// The members of a message that we act on.
    enum Member {
        case id, method, params, result, error, version

        @inline(__always)
        init?(_ skipper: JSONSkipper, _ key: JSONSkipper.Key) {
            if skipper.key(key, is: "jsonrpc") {
                self = .version
            } else if skipper.key(key, is: "id") {
                self = .id
            } else if skipper.key(key, is: "method") {
                self = .method
            } else if skipper.key(key, is: "params") {
                self = .params
            } else if skipper.key(key, is: "result") {
                self = .result
            } else if skipper.key(key, is: "error") {
                self = .error
            } else {
                return nil
            }
        }
    }

    /// The members of `params` that we act on in one method or another.
    enum Parameter: UInt8, CaseIterable {
        case name, arguments, meta, requestID, progressToken, cursor, level, uri, protocolVersion

        var bit: UInt16 { 1 << UInt16(self.rawValue) }

        private var spelling: StaticString {
            switch self {
            case .name: "name"
            case .arguments: "arguments"
            case .meta: "_meta"
            case .requestID: "requestId"
            case .progressToken: "progressToken"
            case .cursor: "cursor"
            case .level: "level"
            case .uri: "uri"
            case .protocolVersion: "protocolVersion"
            }
        }

        init?(_ skipper: JSONSkipper, _ key: JSONSkipper.Key) {
            for parameter in Self.allCases where skipper.key(key, is: parameter.spelling) {
                self = parameter
                return
            }
            return nil
        }
    }
}
