/// What `WWW-Authenticate` says to who comes without a good token (RFC 6750, RFC 9728).
package struct BearerChallenge: Sendable, Equatable {
    package var resourceMetadata: String?
    package var scope: String?
    package var error: String?
    package var errorDescription: String?

    package init(
        resourceMetadata: String? = nil, scope: String? = nil, error: String? = nil, errorDescription: String? = nil
    ) {
        self.resourceMetadata = resourceMetadata
        self.scope = scope
        self.error = error
        self.errorDescription = errorDescription
    }

    /// The `Bearer` challenge among all challenges of all header lines; nil where there is none.
    package init?(_ lines: [String]) {
        let all = lines.flatMap { Self.challenges($0) }.filter { $0.scheme == "bearer" }
        // Of several, the one that says where to go on.
        guard let found = all.first(where: { $0.members["resource_metadata"] != nil }) ?? all.first else { return nil }
        self.resourceMetadata = found.members["resource_metadata"]
        self.scope = found.members["scope"].flatMap { $0.isEmpty ? nil : $0 }
        self.error = found.members["error"]
        self.errorDescription = found.members["error_description"]
    }

    private struct Challenge {
        var scheme: String
        var members: [String: String] = [:]
    }

    /// Reads a line that holds any number of challenges, whose members are quoted or bare.
    private static func challenges(_ line: String) -> [Challenge] {
        var found: [Challenge] = []
        var rest = Array(line)[...]
        while true {
            rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," }
            let word = rest.prefix { !" \t,=\"".contains($0) }
            guard !word.isEmpty else {
                if rest.isEmpty { return found }
                rest = rest.dropFirst()
                continue
            }
            let after = rest.dropFirst(word.count).drop { $0 == " " || $0 == "\t" }
            if after.first == "=", !found.isEmpty {
                let (value, behind) = Self.value(after.dropFirst().drop { $0 == " " || $0 == "\t" })
                let name = String(word).lowercased()
                // The first counts.
                if found[found.count - 1].members[name] == nil { found[found.count - 1].members[name] = value }
                rest = behind
            } else {
                found.append(Challenge(scheme: String(word).lowercased()))
                rest = rest.dropFirst(word.count)
            }
        }
    }

    private static func value(_ text: ArraySlice<Character>) -> (value: String, rest: ArraySlice<Character>) {
        guard text.first == "\"" else {
            let bare = text.prefix { !" \t,".contains($0) }
            return (String(bare), text.dropFirst(bare.count))
        }
        var rest = text.dropFirst()
        var value = ""
        while let character = rest.popFirst(), character != "\"" {
            value.append(character == "\\" ? rest.popFirst() ?? character : character)
        }
        return (value, rest)
    }
}
