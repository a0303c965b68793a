/// Walks once through a message and finds the members that we act on, each at most once.
struct RPCReader {
    private let skipper: JSONSkipper
    private(set) var id: JSONSpan?
    private(set) var method: JSONSpan?
    private(set) var params: JSONSpan?
    private(set) var result: JSONSpan?
    private(set) var error: JSONSpan?
    private(set) var known = RPCParams()
    private var version: JSONSpan?
    /// Whether there are members that count as absent because they are null.
    private(set) var hasNulls = false
    /// Whether the result is one of them.
    private var hasNullResult = false

    init(_ skipper: JSONSkipper) {
        self.skipper = skipper
    }

    mutating func read(_ kind: JSONKind) throws(RPCError) {
        guard kind == .object else { throw .notAnObject }
        _ = try self.skipper.members(ofObjectAt: 0) { (key, start) throws(RPCError) in
            try self.take(key, at: start)
        }
        self.dropNulls()
    }

    private mutating func dropNulls() {
        self.hasNullResult = self.result?.kind == .null
        Self.drop(&self.method, &self.hasNulls)
        Self.drop(&self.params, &self.hasNulls)
        Self.drop(&self.result, &self.hasNulls)
        Self.drop(&self.error, &self.hasNulls)
    }

    @inline(__always)
    private static func drop(_ member: inout JSONSpan?, _ hasNulls: inout Bool) {
        guard member?.kind == .null else { return }
        member = nil
        hasNulls = true
    }

    /// Returns where the value at `start` ends.
    private mutating func take(_ key: JSONSkipper.Key, at start: Int) throws(RPCError) -> Int {
        switch Member(self.skipper, key) {
        case .id: try self.once(&self.id, at: start)
        case .method: try self.once(&self.method, at: start)
        case .params: try self.readParams(at: start)
        case .result: try self.once(&self.result, at: start)
        case .error: try self.once(&self.error, at: start)
        case .version: try self.once(&self.version, at: start)
        case nil: self.skipper.value(at: start).upperBound
        }
    }

    private mutating func readParams(at start: Int) throws(RPCError) -> Int {
        guard self.params == nil else { throw .duplicateMember }
        let kind = JSONKind(firstByte: self.skipper.bytes[start])
        guard kind != .null else { return try self.once(&self.params, at: start) }
        guard kind == .object else { throw .badParams }
        var seen: UInt16 = 0
        let end = try self.skipper.members(ofObjectAt: start) { (key, start) throws(RPCError) in
            guard let parameter = Parameter(self.skipper, key) else { return self.skipper.value(at: start).upperBound }
            guard seen & parameter.bit == 0 else { throw .duplicateMember }
            seen |= parameter.bit
            return try self.take(parameter, at: start)
        }
        let span = JSONSpan(lowerBound: start, upperBound: end ?? self.skipper.bytes.count, kind: .object)
        self.params = span
        return span.upperBound
    }

    private mutating func take(_ parameter: Parameter, at start: Int) throws(RPCError) -> Int {
        switch parameter {
        case .name:
            return try self.once(&self.known.name, at: start)
        case .task:
            return try self.once(&self.known.task, at: start)
        case .meta:
            return try self.readMeta(at: start)
        case .arguments, .requestID, .progressToken, .cursor, .level, .uri, .protocolVersion, .taskID:
            return self.skipper.value(at: start).upperBound
        }
    }

    private mutating func readMeta(at start: Int) throws(RPCError) -> Int {
        let kind = JSONKind(firstByte: self.skipper.bytes[start])
        if kind == .null { self.hasNulls = true }
        guard kind == .object else { return self.skipper.value(at: start).upperBound }
        let end = try self.skipper.members(ofObjectAt: start) { (key, start) throws(RPCError) in
            guard self.skipper.key(key, is: "progressToken") else { return self.skipper.value(at: start).upperBound }
            return try self.once(&self.known.progressToken, at: start)
        }
        return end ?? self.skipper.bytes.count
    }

    @inline(__always)
    private func once(_ slot: inout JSONSpan?, at start: Int) throws(RPCError) -> Int {
        guard slot == nil else { throw .duplicateMember }
        let value = self.skipper.value(at: start)
        slot = value
        return value.upperBound
    }
}

extension RPCReader {
    /// What the members make of the message.
    func shape() throws(RPCError) -> RPCMessage.Shape {
        guard let version = self.version, self.isTwoPointZero(version) else { throw .badVersion }
        if let method {
            guard self.result == nil, self.error == nil else { throw .shapeless }
            guard method.kind == .string else { throw .badMethod }
            guard let id else { return .notification }
            try self.check(id)
            return .request
        }
        switch (self.result, self.error) {
        case (.some(let result), nil):
            guard let id else { throw .badID }
            try self.check(id)
            guard result.kind == .object else { throw .badResult }
            return .result
        case (nil, .some(let error)):
            if let id, id.kind != .null { try self.check(id) }
            try self.check(error: error)
            return .error
        case (nil, nil) where self.isEmptyResult:
            guard let id else { throw .badID }
            try self.check(id)
            return .result
        default:
            throw .shapeless
        }
    }

    /// Whether it is the answer of somebody who has nothing to say: `"result": null`, and no error.
    var isEmptyResult: Bool { self.hasNullResult && self.method == nil && self.error == nil }

    /// JSON-RPC 2.0, section 5.1.
    private func check(error: JSONSpan) throws(RPCError) {
        guard error.kind == .object else { throw .badError }
        var hasCode = false
        var hasMessage = false
        _ = try self.skipper.members(ofObjectAt: error.lowerBound) { (key, start) throws(RPCError) in
            let value = self.skipper.value(at: start)
            if self.skipper.key(key, is: "code") {
                guard !hasCode else { throw .duplicateMember }
                hasCode =
                    value.kind == .number
                    && RPCID.isInteger(self.skipper.bytes.slice(value.lowerBound, value.upperBound))
            } else if self.skipper.key(key, is: "message") {
                guard !hasMessage else { throw .duplicateMember }
                hasMessage = value.kind == .string
            }
            return value.upperBound
        }
        guard hasCode, hasMessage else { throw .badError }
    }

    private func check(_ id: JSONSpan) throws(RPCError) {
        switch id.kind {
        case .string: return
        case .number where RPCID.isInteger(self.skipper.bytes.slice(id.lowerBound, id.upperBound)): return
        default: throw .badID
        }
    }

    private func isTwoPointZero(_ version: JSONSpan) -> Bool {
        guard version.kind == .string else { return false }
        let key = JSONSkipper.Key(lower: version.lowerBound + 1, upper: version.upperBound - 1, hasEscapes: false)
        return self.skipper.key(key, is: "2.0")
    }
}
