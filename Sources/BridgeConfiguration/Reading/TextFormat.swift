/// Tells what a text is that is no JSON.
enum TextFormat: String {
    /// Codex CLI keeps its servers in it.
    case toml = "TOML"
    case yaml = "YAML"

    /// By the first line that says something; `nil` where that could be anything else.
    init?(of bytes: [UInt8]) {
        let lines = String(decoding: bytes.prefix(4_096), as: UTF8.self).split { $0.isNewline }
        let trimmed = lines.lazy.map { line in line.drop { $0.isWhitespace || $0 == "\u{FEFF}" } }
        guard let line = trimmed.first(where: { !$0.isEmpty && !$0.hasPrefix("#") }) else { return nil }
        if line.hasPrefix("[") {
            // `[[` is an array of tables.
            guard let first = line.drop(while: { $0 == "[" }).first, first.isASCII, first.isLetter else { return nil }
            self = .toml
            return
        }
        if line.hasPrefix("---") || line.hasPrefix("%YAML") {
            self = .yaml
            return
        }
        let key = line.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.".contains($0)) }
        guard !key.isEmpty, let sign = line[key.endIndex...].first(where: { !$0.isWhitespace }) else { return nil }
        switch sign {
        case "=": self = .toml
        case ":": self = .yaml
        default: return nil
        }
    }
}
