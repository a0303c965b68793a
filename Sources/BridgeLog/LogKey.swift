/// The metadata keys that have a meaning of their own, and the journal field each of them becomes.
///
/// This is the one table. Targets that only know swift-log write the same dotted strings.
package enum LogKey {
    /// The worker that logs: `http`, `session`, `upstream@github`.
    package static let worker = "mcp.worker"
    /// The upstream that it is about.
    package static let upstream = "mcp.upstream"
    /// A short digest of the session's id.
    package static let session = "mcp.session"
    /// The UUID that the front gave the request.
    package static let requestID = "mcp.request_id"
    /// The id of a public token, never its secret.
    package static let token = "mcp.token"
    package static let method = "mcp.method"
    package static let tool = "mcp.tool"
    /// Whole microseconds.
    package static let durationMicroseconds = "mcp.duration_us"
    /// `RX` or `TX`.
    package static let direction = "mcp.direction"
    /// 128 bits in hexadecimal: the kind of record, for the journal's catalogue.
    package static let messageID = "message.id"
    /// What swift-log makes of an error given to a log statement.
    package static let errorMessage = "error.message"
    package static let errorType = "error.type"

    /// The journal field of a metadata key.
    ///
    /// The keys above by the table; any other becomes `MCP_` and itself in upper case, words apart, a leading `mcp.`
    /// not repeated: `toolCount` and `mcp.tool_count` are both `MCP_TOOL_COUNT`. Always a valid field name.
    package static func journalField(of key: String) -> String {
        if let known = Self.journalFields[key] { return known }
        var name = Array("MCP".utf8)
        var previous = UInt8(ascii: "_")
        for byte in (key.hasPrefix("mcp.") ? key.dropFirst(4) : key[...]).utf8 {
            let (upper, startsWord) = Self.fieldByte(byte, after: previous)
            if startsWord, name.last != UInt8(ascii: "_") { name.append(UInt8(ascii: "_")) }
            if let upper { name.append(upper) }
            previous = byte
            guard name.count < Self.maximumFieldLength else { break }
        }
        while name.last == UInt8(ascii: "_") { name.removeLast() }
        return name.count > 3 ? String(decoding: name.prefix(Self.maximumFieldLength), as: UTF8.self) : "MCP_UNNAMED"
    }

    private static let maximumFieldLength = 64

    private static let journalFields = [
        Self.worker: "MCP_WORKER",
        Self.upstream: "MCP_UPSTREAM",
        Self.session: "MCP_SESSION",
        Self.requestID: "MCP_REQUEST_ID",
        Self.token: "MCP_TOKEN",
        Self.method: "MCP_METHOD",
        Self.tool: "MCP_TOOL",
        Self.durationMicroseconds: "MCP_DURATION_US",
        Self.direction: "MCP_DIRECTION",
        Self.messageID: "MESSAGE_ID",
    ]

    /// What a byte of a key adds to the field name (`nil`: only a gap), and whether a word starts with it.
    private static func fieldByte(_ byte: UInt8, after previous: UInt8) -> (upper: UInt8?, startsWord: Bool) {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): (byte - 0x20, !Self.isWordByte(previous))
        case UInt8(ascii: "0")...UInt8(ascii: "9"): (byte, !Self.isWordByte(previous))
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): (byte, !Self.isUpper(previous))
        default: (nil, true)
        }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: Self.isUpper(byte)
        }
    }

    private static func isUpper(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
}
