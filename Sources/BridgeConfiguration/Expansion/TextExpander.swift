/// Puts values in the place of `${…}`.
///
/// | written | becomes |
/// |---|---|
/// | `${VAR}`, `${env:VAR}` | the service's environment variable; an unset one is an error |
/// | `${VAR:-text}`, `${env:VAR:-text}` | the same, or `text` when it is unset or empty |
/// | `${userHome}` | the home directory of the service's user |
/// | `${credential:NAME}` | a systemd credential, without its last line break |
/// | `${op://vault/item/field}` | what 1Password keeps there, read through its command `op` |
/// | `${pathSeparator}`, `${/}` | `/` |
/// | `$${` | a plain `${` |
///
/// What was put in is not looked through again. Any other `${…}` is left alone: shells and templates have their own.
struct TextExpander {
    enum Problem: Hashable {
        case unsetVariable(String)
        case missingCredential(String)
        case unreadReference(String, why: String)
        /// `${input:…}`: an editor would ask a person.
        case input(String)
        /// `${workspaceFolder}` and its like: only an editor has one.
        case editorVariable(String)
    }

    let variables: [String: String]
    let home: String
    let reference: (String) -> SecretReference
    let credential: (String) -> String?

    private static let editorVariables: Set<String> = [
        "workspaceFolder", "workspaceFolderBasename", "file", "fileBasename", "fileDirname", "relativeFile", "cwd",
        "execPath", "selectedText", "lineNumber", "defaultBuildTask",
    ]
    private static let editorPrefixes = ["workspaceFolder:", "config:", "command:"]

    func expand(_ text: String) -> (text: ConfiguredText, problems: [Problem]) {
        guard text.contains("${") else { return (ConfiguredText(text), []) }
        var value = ""
        var masked = ""
        var problems: [Problem] = []
        var rest = text[...]
        while let start = Self.nextOpening(in: rest) {
            value += rest[..<start]
            masked += rest[..<start]
            rest = rest[start...]
            if rest.hasPrefix("$${") {
                value += "${"
                masked += "${"
                rest = rest.dropFirst(3)
                continue
            }
            guard let end = rest.firstIndex(of: "}") else { break }
            let name = String(rest[..<end].dropFirst(2))
            let whole = rest[...end]
            rest = rest[end...].dropFirst()
            switch self.resolve(name) {
            case .shown(let text):
                value += text
                masked += text
            case .secret(let text):
                value += text
                masked += Secret.mask
            case .leave:
                value += whole
                masked += whole
            case .problem(let problem):
                problems.append(problem)
            }
        }
        return (ConfiguredText(value + rest, masked: masked + rest), problems)
    }

    private static func nextOpening(in text: Substring) -> Substring.Index? {
        var from = text.startIndex
        while let dollar = text[from...].firstIndex(of: "$") {
            if text[dollar...].hasPrefix("${") || text[dollar...].hasPrefix("$${") { return dollar }
            from = text.index(after: dollar)
        }
        return nil
    }

    private enum Resolution {
        case shown(String)
        case secret(String)
        case leave
        case problem(Problem)
    }

    private func resolve(_ name: String) -> Resolution {
        if name == "userHome" { return .shown(self.home) }
        if name == "pathSeparator" || name == "/" { return .shown("/") }
        if name.hasPrefix("credential:") {
            let credential = String(name.dropFirst("credential:".count))
            return self.credential(credential).map(Resolution.secret) ?? .problem(.missingCredential(credential))
        }
        if name.hasPrefix("op://") {
            switch self.reference(name) {
            case .known(let text): return .secret(text)
            case .unknown(let why): return .problem(.unreadReference(name, why: why))
            }
        }
        if name.hasPrefix("input:") { return .problem(.input(String(name.dropFirst("input:".count)))) }
        if Self.editorVariables.contains(name) || Self.editorPrefixes.contains(where: name.hasPrefix) {
            return .problem(.editorVariable(name))
        }
        return self.variable(name.hasPrefix("env:") ? String(name.dropFirst(4)) : name)
    }

    /// `NAME` or `NAME:-default`.
    private func variable(_ text: String) -> Resolution {
        let name = text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        guard let first = name.first, !first.isNumber else { return .leave }
        let tail = text[name.endIndex...]
        let found = self.variables[String(name)]
        if tail.isEmpty { return found.map(Resolution.secret) ?? .problem(.unsetVariable(String(name))) }
        guard tail.hasPrefix(":-") else { return .leave }
        if let found, !found.isEmpty { return .secret(found) }
        return .shown(String(tail.dropFirst(2)))
    }
}

extension TextExpander.Problem {
    var message: String {
        switch self {
        case .unsetVariable(let name): "the environment variable \(name) is not set."
        case .missingCredential(let name): "there is no credential '\(name)'."
        case .unreadReference(let reference, let why): "'\(reference)' cannot be read: \(why)."
        case .input(let id): "'${input:\(id)}' asks a person, and a service has nobody to ask."
        case .editorVariable(let name): "'${\(name)}' is known only to an editor."
        }
    }

    var remedy: String {
        switch self {
        case .unsetVariable(let name):
            "Set it for the service (Environment= or EnvironmentFile= in the unit), or write '${\(name):-default}'."
        case .missingCredential(let name):
            "Add 'LoadCredential=\(name):/path/to/file' to the unit and restart the service."
        case .unreadReference:
            "Look whether the service's user can do it: 'op read' and the reference. A service account's token goes into "
                + "OP_SERVICE_ACCOUNT_TOKEN."
        case .input(let id):
            "Put the value into a credential and write '${credential:\(id)}', "
                + "or into the environment and write '${\(id)}'."
        case .editorVariable:
            "Write the path itself; a path that begins with './' starts at the configuration file's folder."
        }
    }
}
