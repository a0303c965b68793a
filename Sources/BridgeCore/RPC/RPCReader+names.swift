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
    enum Parameter: UInt8 {
        case name, arguments, meta, requestID, progressToken, cursor, level, uri, protocolVersion, task, taskID

        var bit: UInt16 { 1 << UInt16(self.rawValue) }

        @inline(__always)
        init?(_ skipper: JSONSkipper, _ key: JSONSkipper.Key) {
            guard !key.hasEscapes else {
                self.init(escaped: key, skipper)
                return
            }
            // By length first: few keys of others have one that is ours.
            switch key.count {
            case 3 where skipper.key(key, is: "uri"): self = .uri
            case 4 where skipper.key(key, is: "name"): self = .name
            case 4 where skipper.key(key, is: "task"): self = .task
            case 5 where skipper.key(key, is: "_meta"): self = .meta
            case 5 where skipper.key(key, is: "level"): self = .level
            case 6 where skipper.key(key, is: "cursor"): self = .cursor
            case 6 where skipper.key(key, is: "taskId"): self = .taskID
            case 9 where skipper.key(key, is: "arguments"): self = .arguments
            case 9 where skipper.key(key, is: "requestId"): self = .requestID
            case 13 where skipper.key(key, is: "progressToken"): self = .progressToken
            case 15 where skipper.key(key, is: "protocolVersion"): self = .protocolVersion
            default: return nil
            }
        }

        /// A key written with escapes, which nobody does.
        @inline(never)
        private init?(escaped key: JSONSkipper.Key, _ skipper: JSONSkipper) {
            switch JSONEscape.decode(skipper.bytes.slice(key.lower, key.upper)) {
            case "name": self = .name
            case "arguments": self = .arguments
            case "_meta": self = .meta
            case "requestId": self = .requestID
            case "progressToken": self = .progressToken
            case "cursor": self = .cursor
            case "level": self = .level
            case "uri": self = .uri
            case "protocolVersion": self = .protocolVersion
            case "task": self = .task
            case "taskId": self = .taskID
            default: return nil
            }
        }
    }
}
