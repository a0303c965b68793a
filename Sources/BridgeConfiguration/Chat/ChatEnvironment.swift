/// The variables of MCPTokenBridge, which win over the file. A value that cannot be read counts as none,
/// as it did there; a warning says so.
///
/// | variable | in place of |
/// |---|---|
/// | `MCPTB_HTTP_TIMEOUT` | `bridge.chat.timeout`; `none`, `0`, `infinite` and `inf` are no limit |
/// | `MCPTB_MAX_TOKENS` | `bridge.chat.maxTokens` |
/// | `MCPTB_PREF_INTELLIGENCE`, `MCPTB_PREF_SPEED`, `MCPTB_PREF_COST` | `bridge.chat.priorities` |
package struct ChatEnvironment: Sendable, Hashable {
    /// Within it, nil is no limit.
    package private(set) var timeout: Seconds??
    package private(set) var maximumTokens: Int?
    package private(set) var intelligence: Double?
    package private(set) var speed: Double?
    package private(set) var cost: Double?
    package private(set) var diagnostics: [ConfigurationDiagnostic] = []

    package init(_ variables: [String: String]) {
        let value = { (name: String) -> String? in
            let text = variables["MCPTB_\(name)"].map { Self.trimmed($0) } ?? ""
            return text.isEmpty ? nil : text
        }
        if let text = value("HTTP_TIMEOUT") {
            if ["none", "infinite", "inf"].contains(text.lowercased()) {
                self.timeout = .some(nil)
            } else if let number = Double(text), number.isFinite {
                self.timeout = .some(number > 0 ? Seconds(min(number, Seconds.longest.rawValue)) : nil)
            } else {
                self.ignored("HTTP_TIMEOUT", "is not a number of seconds")
            }
        }
        if let text = value("MAX_TOKENS") {
            self.maximumTokens = Int(text).map { max(1, $0) }
            if self.maximumTokens == nil { self.ignored("MAX_TOKENS", "is not a whole number") }
        }
        self.intelligence = self.priority("PREF_INTELLIGENCE", value)
        self.speed = self.priority("PREF_SPEED", value)
        self.cost = self.priority("PREF_COST", value)
    }

    /// Brought to 0 to 1.
    private mutating func priority(_ name: String, _ value: (String) -> String?) -> Double? {
        guard let text = value(name) else { return nil }
        guard let number = Double(text), !number.isNaN else {
            self.ignored(name, "is not a number")
            return nil
        }
        return min(max(number, 0), 1)
    }

    private mutating func ignored(_ name: String, _ why: String) {
        self.diagnostics.append(
            ConfigurationDiagnostic(
                .warning, file: "environment", keyPath: "MCPTB_\(name)", message: "\(why), and counts as unset."))
    }

    /// Lays the variables over the file's settings.
    func apply(to settings: inout ChatSettings) {
        if let timeout { settings.timeout = timeout }
        if let maximumTokens { settings.maximumTokens = maximumTokens }
        if let intelligence { settings.priorities.intelligence = intelligence }
        if let speed { settings.priorities.speed = speed }
        if let cost { settings.priorities.cost = cost }
    }

    private static func trimmed(_ text: String) -> String {
        var text = text[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
