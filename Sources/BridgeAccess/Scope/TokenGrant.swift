import BridgeCore

/// One word of a scope: something that the holder of a token may do.
///
/// In a name, `,` is written `%2C`, `%` is `%25`, and a dot in a server's name before `tool:`'s dot is `%2E`.
package enum TokenGrant: Sendable, Hashable {
    /// All of MCP: every server, everything it offers.
    case mcp
    /// The model APIs. Which models: ``Token/models``.
    case chat
    /// To answer requests for models: to be a source.
    case source
    /// To change the service, which means to run any command; and all of MCP and the model APIs.
    case admin
    /// All that one server offers.
    case server(String)
    /// The tools of one server whose own names match the pattern (`*`, `?`), and nothing else that it offers.
    case tool(server: String, pattern: String)

    /// How each is written, for messages and help.
    package static let known = ["mcp", "chat", "source", "admin", "server:NAME", "tool:SERVER.PATTERN"]

    package init(_ word: String) throws(AccessProblem) {
        switch word {
        case "mcp": self = .mcp
        case "chat": self = .chat
        case "source": self = .source
        case "admin": self = .admin
        default:
            guard let colon = word.firstIndex(of: ":") else { throw Self.unknown(word) }
            let rest = word[word.index(after: colon)...]
            switch word[..<colon] {
            case "server": self = .server(try Self.name(rest, in: word))
            case "tool":
                guard let dot = rest.firstIndex(of: ".") else {
                    throw AccessProblem("`\(word)` does not say which tools: write tool:SERVER.PATTERN.")
                }
                self = .tool(
                    server: try Self.name(rest[..<dot], in: word),
                    pattern: try Self.name(rest[rest.index(after: dot)...], in: word))
            default: throw Self.unknown(word)
            }
        }
    }

    package var text: String {
        switch self {
        case .mcp: "mcp"
        case .chat: "chat"
        case .source: "source"
        case .admin: "admin"
        case .server(let name): "server:\(Self.escaped(name))"
        case .tool(let server, let pattern): "tool:\(Self.escaped(server, ".")).\(Self.escaped(pattern))"
        }
    }

    private static func unknown(_ word: String) -> AccessProblem {
        AccessProblem("`\(word)` is no scope. There are \(Self.known.joined(separator: ", ")).")
    }

    private static func name(_ text: Substring, in word: String) throws(AccessProblem) -> String {
        guard let name = PercentCoding.decode(String(text)) else {
            throw AccessProblem("`\(word)`: a `%` that is part of a name is written %25.")
        }
        guard !name.isEmpty else { throw AccessProblem("`\(word)` has an empty name in it.") }
        guard name.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            throw AccessProblem("A scope has no control characters in it.")
        }
        return name
    }

    private static func escaped(_ name: String, _ further: Character? = nil) -> String {
        var text = ""
        for character in name {
            switch character {
            case "%": text += "%25"
            case ",": text += "%2C"
            case further: text += "%2E"
            default: text.append(character)
            }
        }
        return text
    }
}
