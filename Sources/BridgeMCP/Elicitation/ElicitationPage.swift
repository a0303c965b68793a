/// A page that a person is asked to open, and what there is to know of its address before (client/elicitation, "Safe URL
/// Handling").
///
/// Only an address that every reader takes for the same one is shown: a browser reads `\` as `/` and skips tabs, so what
/// holds such characters is refused. The page is never fetched.
package struct ElicitationPage: Sendable, Hashable {
    /// The whole address in ASCII: other characters are percent-encoded, which means the same (RFC 3987).
    package let address: String
    /// Whom a browser would talk to, with the port where one is written.
    package let host: String
    /// What is unusual about it.
    package let warnings: [String]

    /// - Returns: `nil` when it is no plain `http` or `https` URL.
    package init?(_ url: String) {
        let parts = url.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].hasPrefix("//") else { return nil }
        let scheme = parts[0].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let rest = parts[1].dropFirst(2)
        let authority = rest.prefix { !"/?#".contains($0) }
        guard let tail = Self.encoded(rest[authority.endIndex...]),
            authority.unicodeScalars.allSatisfy({ Self.isPlain($0) })
        else { return nil }
        let mark = authority.lastIndex(of: "@")
        let host = mark.map { authority[authority.index(after: $0)...] } ?? authority
        guard Self.isHost(host) else { return nil }
        self.address = "\(scheme)://\(authority)\(tail)"
        self.host = host.lowercased()
        self.warnings = Self.warnings(scheme: scheme, host: self.host, hasUser: mark != nil)
    }

    private static func warnings(scheme: String, host: String, hasUser: Bool) -> [String] {
        var warnings: [String] = []
        let name = host.hasPrefix("[") ? String(host.prefix { $0 != "]" }) + "]" : String(host.prefix { $0 != ":" })
        let isHere = name == "localhost" || name.hasSuffix(".localhost") || name == "[::1]" || name.hasPrefix("127.")
        if scheme == "http", !isHere { warnings.append("The connection would not be encrypted.") }
        if hasUser { warnings.append("What stands before the @ is not the host; the host is \(name).") }
        if name.split(separator: ".").contains(where: { $0.hasPrefix("xn--") }) {
            warnings.append(
                "The host's name is written in other letters than it seems (xn--): it may look like another's.")
        }
        return warnings
    }

    /// A name, an IPv4 address, or an IPv6 address in brackets; a port perhaps.
    private static func isHost(_ text: Substring) -> Bool {
        var port = Substring()
        let name: Substring
        if text.first == "[", let end = text.firstIndex(of: "]") {
            name = text[text.index(after: text.startIndex)..<end]
            guard name.contains(":"), name.allSatisfy({ $0.isHexDigit || ":.".contains($0) }) else { return false }
            port = text[text.index(after: end)...]
        } else {
            name = text.prefix { $0 != ":" }
            guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) }) else {
                return false
            }
            port = text[name.endIndex...]
        }
        guard !name.isEmpty, name.contains(where: { $0 != "." }) else { return false }
        if port.isEmpty { return true }
        let digits = port.dropFirst()
        return port.first == ":" && digits.allSatisfy { $0.isASCII && $0.isNumber }
            && Int(digits).map { $0 < 65_536 } ?? false
    }

    private static func encoded(_ text: Substring) -> String? {
        var encoded = ""
        for scalar in text.unicodeScalars {
            if Self.isPlain(scalar) {
                encoded.unicodeScalars.append(scalar)
            } else if scalar == "\\" || scalar.value <= 0x20 || scalar.value == 0x7F {
                return nil
            } else {
                for byte in String(scalar).utf8 {
                    encoded += byte < 16 ? "%0" : "%"
                    encoded += String(byte, radix: 16, uppercase: true)
                }
            }
        }
        return encoded
    }

    /// What a URI may be written with (RFC 3986, section 2).
    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9": true
        default: "-._~:/?#[]@!$&'()*+,;=%".unicodeScalars.contains(scalar)
        }
    }
}
