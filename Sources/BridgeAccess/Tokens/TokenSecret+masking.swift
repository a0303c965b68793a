import BridgeCore

extension TokenSecret {
    /// Somebody's words, without any of our secrets that stand in them.
    package static func masked(in text: String) -> String {
        var rest = text.utf8[...]
        var kept = ""
        while let mark = rest.firstRange(of: Self.prefix.utf8) {
            kept += String(Substring(rest[..<mark.upperBound])) + "***"
            rest = rest[mark.upperBound...].drop { PercentCoding.isAlphanumeric($0) || $0 == 0x2D || $0 == 0x5F }
        }
        return kept + String(Substring(rest))
    }
}
