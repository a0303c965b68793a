/// Guesses at secrets that were written out in the open.
enum SecretMask {
    private static let tellingWords = ["key", "token", "secret", "password", "passwd", "credential", "auth", "pat"]

    /// `--api-key VALUE` and `--api-key=VALUE`, `TOKEN=VALUE`, and whatever follows `-H`/`--header`, keep only their
    /// name.
    static func arguments(_ arguments: [String]) -> [String] {
        var isValueOfTelling = false
        return arguments.map { argument in
            if isValueOfTelling, !argument.hasPrefix("-") {
                isValueOfTelling = false
                return Secret.mask
            }
            isValueOfTelling = false
            if let equals = argument.firstIndex(of: "="), self.isTelling(argument[..<equals]) {
                return "\(argument[...equals])\(Secret.mask)"
            }
            if argument.hasPrefix("-") {
                isValueOfTelling = ["-H", "--header"].contains(argument) || self.isTelling(argument[...])
            }
            return argument.contains("://") ? self.url(argument) : argument
        }
    }

    /// Without user and query values.
    static func url(_ url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        var head = String(url[..<scheme.upperBound])
        let rest = url[scheme.upperBound...]
        let end = rest.firstIndex { "?#".contains($0) } ?? rest.endIndex
        let authority = rest[..<end].prefix { $0 != "/" }
        if let at = authority.lastIndex(of: "@") {
            head += "\(Secret.mask)@\(rest[..<end][at...].dropFirst())"
        } else {
            head += rest[..<end]
        }
        return end == rest.endIndex ? head : "\(head)\(rest[end])\(Secret.mask)"
    }

    private static func isTelling(_ name: Substring) -> Bool {
        let words = name.lowercased().split { !$0.isLetter }
        return words.contains { word in
            Self.tellingWords.contains { word == $0 || ($0.count > 3 && word.hasSuffix($0)) || word == "apikey" }
        }
    }
}
