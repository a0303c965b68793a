import BridgeCore

/// The URI of a resource, in the one spelling by which filters compare it.
///
/// It is only compared: clients and servers see the URI as it was written.
package enum ResourceURI {
    /// Normalised after RFC 3986, sections 6.2.2 and 6.2.3's empty path aside: scheme and host in small letters, escapes of
    /// unreserved characters undone and the others in capitals, dot segments taken out.
    ///
    /// Of files the host of this machine, and of HTTP a user's name and the usual port, are left out: they change nothing.
    ///
    /// - Returns: `nil` for what is no URI: no scheme, a malformed escape, a backslash or another character that no URI
    ///   holds. What is longer than ``maximumLength`` has none either.
    ///
    /// - Parameter isFilePath: as a file system would take it: a row of slashes is one, and there is no query. Of a file also
    ///   whatever host it names.
    package static func normalised(_ uri: String, asFilePath isFilePath: Bool = false) -> String? {
        guard uri.utf8.count <= Self.maximumLength, let parts = Parts(uri[...]),
            let authority = self.normalised(escapes: parts.authority),
            let path = self.normalised(escapes: parts.path), let rest = self.normalised(escapes: parts.rest)
        else { return nil }
        let scheme = parts.scheme.lowercased()
        var place = self.place(scheme, self.lowerHost(authority), path)
        guard isFilePath else {
            return scheme + ":" + place.authority + self.withoutDotSegments(place.path) + rest
        }
        let isRooted = place.path.hasPrefix("/")
        place.path = (isRooted ? "/" : "") + place.path.split(separator: "/").joined(separator: "/")
        let isFile = scheme == "file"
        return scheme + ":" + (isFile ? "//" : place.authority) + self.withoutDotSegments(place.path)
            + (isFile ? "" : rest)
    }

    /// In bytes.
    package static let maximumLength = 8_192

    /// The spellings that a server may take a URI for: its own, and what becomes of it where escaped slashes are undone
    /// first, as a URI and as a file's path.
    static func spellings(_ uri: String) -> Set<String>? {
        guard let normalised = self.normalised(uri) else { return nil }
        let undone = self.undoneSlashes(uri)
        let others = [self.normalised(undone), self.normalised(undone, asFilePath: true)]
        return Set([normalised] + others.compactMap { $0 })
    }

    /// By bytes: as characters, what follows an escape may be joined to its last letter.
    private static func undoneSlashes(_ uri: String) -> String {
        var undone: [UInt8] = []
        var rest = Array(uri.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let high = rest.first, let low = rest.dropFirst().first,
                let value = PercentCoding.byte(high, low), "/\\".utf8.contains(value)
            {
                undone.append(UInt8(ascii: "/"))
                rest = rest.dropFirst(2)
            } else {
                undone.append(byte)
            }
        }
        return String(decoding: undone, as: UTF8.self)
    }

    private static func place(_ scheme: String, _ authority: String, _ path: String) -> (
        authority: String, path: String
    ) {
        switch scheme {
        case "file":
            let isLocal = authority.isEmpty || authority == "//" || authority == "//localhost"
            guard path.hasPrefix("/") else { return (authority, path) }
            return (isLocal ? "//" : authority, "/" + path.drop { $0 == "/" })
        case "http", "https":
            var host = authority
            if let at = host.lastIndex(of: "@") { host = "//" + host[host.index(after: at)...] }
            let port = scheme == "http" ? ":80" : ":443"
            if host.hasSuffix(port) { host.removeLast(port.count) }
            if host.hasSuffix(":") { host.removeLast() }
            return (host, path.isEmpty && !host.isEmpty ? "/" : path)
        default: return (authority, path)
        }
    }

    /// A filter's pattern in the same spelling, as far as it has one: `*` and `?` stay what they are.
    package static func normalised(pattern: String) -> String {
        guard let parts = Parts(pattern[...], isPattern: true) else {
            return self.normalised(escapes: pattern[...]) ?? pattern
        }
        let escapes = { (text: Substring) in self.normalised(escapes: text) ?? String(text) }
        let scheme = parts.scheme.lowercased()
        let place = self.place(scheme, self.lowerHost(escapes(parts.authority)), escapes(parts.path))
        return scheme + ":" + place.authority + place.path + escapes(parts.rest)
    }

    /// A URI taken apart (RFC 3986, appendix B).
    private struct Parts {
        let scheme: Substring
        /// With its two slashes; empty where there is none.
        let authority: Substring
        let path: Substring
        /// Query and fragment, with their marks.
        let rest: Substring

        init?(_ uri: Substring, isPattern: Bool = false) {
            let bytes = uri.utf8
            guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), let first = bytes.first,
                PercentCoding.isLetter(first), bytes[..<colon].allSatisfy(Self.isScheme)
            else { return nil }
            self.scheme = uri[..<colon]
            var path = uri[bytes.index(after: colon)...]
            // A pattern's "?" is any one character.
            let marks = isPattern ? "#" : "?#"
            let end = path.utf8.firstIndex { marks.utf8.contains($0) } ?? path.endIndex
            self.rest = path[end...]
            path = path[..<end]
            // By bytes: a slash may have been joined by a mark that follows it.
            if path.utf8.starts(with: "//".utf8) {
                let host = path.utf8.dropFirst(2)
                let slash = host.firstIndex(of: UInt8(ascii: "/")) ?? host.endIndex
                self.authority = path[..<slash]
                self.path = path[slash...]
            } else {
                self.authority = path[..<path.startIndex]
                self.path = path
            }
        }

        private static func isScheme(_ byte: UInt8) -> Bool {
            PercentCoding.isAlphanumeric(byte) || "+-.".utf8.contains(byte)
        }
    }

    private static func normalised(escapes text: Substring) -> String? {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                // What people write all the same, and mean the escape by (RFC 3987, section 3.1).
                if byte >= 0x80 || byte == UInt8(ascii: " ") {
                    result += self.escape(byte)
                } else {
                    guard self.isAllowed(byte) else { return nil }
                    result.append(byte)
                }
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                let value = PercentCoding.byte(high, low)
            else { return nil }
            if PercentCoding.isUnreserved(value) {
                result.append(value)
            } else {
                result += self.escape(value)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func escape(_ byte: UInt8) -> [UInt8] { [UInt8(ascii: "%")] + [byte].hexadecimal.uppercased().utf8 }

    /// Unreserved and reserved characters (RFC 3986, section 2). Anything else has to be escaped.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        PercentCoding.isUnreserved(byte) || ":/?#[]@!$&'()*+,;=".utf8.contains(byte)
    }

    /// - Parameter authority: user, host and port. Only the host is the same in both cases.
    private static func lowerHost(_ authority: String) -> String {
        guard let at = authority.lastIndex(of: "@") else { return authority.lowercased() }
        return authority[...at] + authority[authority.index(after: at)...].lowercased()
    }

    /// RFC 3986, section 5.2.4. What is left of a path that did not begin with a slash does not either.
    private static func withoutDotSegments(_ path: String) -> String {
        guard path.utf8.contains(UInt8(ascii: ".")) else { return path }
        let isRooted = path.hasPrefix("/")
        var segments: [Substring] = []
        let all = (isRooted ? path.dropFirst() : path[...]).split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in all.enumerated() {
            let isLast = index == all.count - 1
            switch segment {
            case ".": if isLast { segments.append("") }
            case "..":
                if !segments.isEmpty { segments.removeLast() }
                if isLast { segments.append("") }
            default: segments.append(segment)
            }
        }
        return (isRooted ? "/" : "") + segments.joined(separator: "/")
    }
}
