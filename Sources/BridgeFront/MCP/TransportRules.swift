import BridgeCore
import BridgeMCP
import NIOCore

/// What Streamable HTTP asks of a request's head, before its body is read.
enum TransportRules {
    /// The revisions whose clients are served.
    static let versions = ProtocolRevision.allCases.map(\.name)

    static func checkPost(_ fields: RequestFields, limit: Int) -> Refusal? {
        guard Self.acceptsBoth(fields.accept) else {
            return .notAcceptable("both application/json and text/event-stream")
        }
        guard Self.isJSON(fields.contentType) else { return .unsupportedMediaType }
        guard !fields.hasContentCoding else { return .contentCodingUnknown }
        if let length = fields.contentLength, length > limit { return .contentTooLarge(limit: limit) }
        return Self.checkVersion(fields.protocolVersion)
    }

    static func checkGet(_ fields: RequestFields) -> Refusal? {
        guard Self.accepts(fields.accept, ["text/event-stream"]) else { return .notAcceptable("text/event-stream") }
        return Self.checkDelete(fields)
    }

    static func checkDelete(_ fields: RequestFields) -> Refusal? {
        if let refusal = Self.checkVersion(fields.protocolVersion) { return refusal }
        return fields.sessionID == nil ? .sessionRequired : nil
    }

    /// HTTP+SSE knows no header of a revision, nor of a session: what a client sends of them is passed over.
    static func checkStream(_ fields: RequestFields) -> Refusal? {
        guard Self.accepts(fields.accept, [EventStream.contentType]) else {
            return .notAcceptable(EventStream.contentType)
        }
        guard !fields.isChunked, (fields.contentLength ?? 0) == 0 else {
            return .badRequest("A GET of an event stream has no body.")
        }
        return nil
    }

    static func checkMessage(_ fields: RequestFields, limit: Int) -> Refusal? {
        guard Self.isJSON(fields.contentType) else { return .unsupportedMediaType }
        guard !fields.hasContentCoding else { return .contentCodingUnknown }
        if let length = fields.contentLength, length > limit { return .contentTooLarge(limit: limit) }
        return nil
    }

    /// An absent header is the client's right: the session knows what was negotiated.
    ///
    /// The refusal is that of a server which knows the handshake only, so that a client of a later era falls back to it.
    static func checkVersion(_ version: String?) -> Refusal? {
        guard let version, !Self.versions.contains(version) else { return nil }
        let details = JSONWriter.object { data in
            data.member("requested", version)
            data.member("supported", Self.versions)
        }
        let known = Self.versions.joined(separator: ", ")
        return Refusal(Fault.unsupportedProtocolVersion.told(["versions": known], details: details))
    }

    /// What an error has for the id of a request whose body has been read and shows none (``ProtocolRevision/unreadableID``).
    ///
    /// Of a session, only the session worker knows the revision for certain. The front goes by what a client has to say with
    /// each request, and by what a server is to assume where it says nothing (2025-06-18, "Protocol Version Header"). Outside
    /// of a session nothing is known, and the id is left out.
    static func unreadableID(_ fields: RequestFields) -> ByteBuffer? {
        if let version = fields.protocolVersion { return ProtocolRevision(name: version)?.unreadableID }
        return fields.sessionID == nil ? nil : ProtocolRevision.v2025_03_26.unreadableID
    }

    /// `application/json` and `application/*+json`; a charset, if any, is UTF-8.
    static func isJSON(_ contentType: String?) -> Bool {
        guard let contentType else { return false }
        if contentType == "application/json" { return true }
        let parts = contentType.lowercased().split(separator: ";", omittingEmptySubsequences: false).map(Self.trim)
        guard let type = parts.first, type.hasPrefix("application/") else { return false }
        guard type == "application/json" || (type.hasSuffix("+json") && type.utf8.count > 17) else { return false }
        return parts.dropFirst().allSatisfy { parameter in
            guard parameter.hasPrefix("charset=") else { return true }
            let charset = parameter.dropFirst(8)
            return charset == "utf-8" || charset == "\"utf-8\"" || charset == "utf8"
        }
    }

    private static func acceptsBoth(_ accept: String?) -> Bool {
        // What the usual clients send, word for word.
        if accept == "application/json, text/event-stream" { return true }
        return Self.accepts(accept, ["application/json", "text/event-stream"])
    }

    /// Whether a client takes every one of `types`. No header takes anything (RFC 9110, section 12.5.1); a type that is
    /// given the weight 0 is refused.
    static func accepts(_ accept: String?, _ types: [String]) -> Bool {
        guard let accept else { return true }
        let ranges = accept.lowercased().split(separator: ",").map { range in
            let parts = range.split(separator: ";").map(Self.trim)
            return (name: parts.first ?? "", isRefused: parts.dropFirst().contains(where: Self.isZeroWeight))
        }
        return types.allSatisfy { type in
            let group = type.prefix { $0 != "/" }
            for name in [Substring(type), "\(group)/*", "*/*"] {  // the most specific range decides
                if let range = ranges.first(where: { $0.name == name }) { return !range.isRefused }
            }
            return false
        }
    }

    private static func isZeroWeight(_ parameter: Substring) -> Bool {
        parameter.hasPrefix("q=") && Double(parameter.dropFirst(2)) == 0
    }

    private static func trim(_ text: Substring) -> Substring {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        let start = text.drop(while: isSpace)
        guard let last = start.lastIndex(where: { !isSpace($0) }) else { return "" }
        return start[...last]
    }
}
