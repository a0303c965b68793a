import BridgeCore

/// Programs: what is started, and what they find.
extension ServerEntryReader {
    struct ProgramKeys {
        let arguments: ConfigurationNode?
        let environment: ConfigurationNode?
        let environmentFile: ConfigurationNode?
        let directory: ConfigurationNode?
        let encoding: ConfigurationNode?
        let encodingErrors: ConfigurationNode?
    }

    mutating func takeProgramKeys(_ object: inout ObjectReader) -> ProgramKeys {
        ProgramKeys(
            arguments: object.take("args"),
            environment: object.take("env"),
            environmentFile: object.take("envFile"),
            directory: object.take("cwd"),
            encoding: object.take("encoding"),
            encodingErrors: object.take("encoding_error_handler")
        )
    }

    mutating func program(_ command: ConfigurationNode, _ keys: ProgramKeys) -> UpstreamTarget.Program? {
        guard let text = command.nonEmptyString(&self.report).flatMap({ self.expanded($0, at: command) }) else {
            return nil
        }
        var program = UpstreamTarget.Program(command: self.resolved(text) { $0.resolve($1) })
        program.arguments = keys.arguments.map { self.arguments($0) } ?? []
        if let file = keys.environmentFile { program.environment = self.environmentFile(file) }
        for pair in self.pairs(keys.environment) {
            guard !pair.name.isEmpty, !pair.name.contains("="), !pair.name.utf8.contains(0) else {
                self.report.error(pair.node, "is not the name of an environment variable.")
                continue
            }
            program.environment[pair.name] = pair.value?.hidden
            if pair.value == nil { program.removedVariables.insert(pair.name) }
        }
        if let node = keys.directory, let directory = self.expanded(node), !directory.value.isEmpty {
            program.workingDirectory = self.resolved(directory) { $0.path($1) }
        }
        if let node = keys.encoding, let encoding = node.string(&self.report) {
            let plain = encoding.lowercased().filter { $0 != "-" && $0 != "_" }
            if !["utf8", "utf8sig", "ascii", "usascii"].contains(plain) {
                self.report.error(node, "only 'utf-8' is possible: MCP on standard output is UTF-8.")
            }
        }
        if let node = keys.encodingErrors, let word = node.word(StdioLaunch.EncodingErrors.self, &self.report) {
            program.encodingErrors = word
        }
        return program
    }

    private mutating func arguments(_ node: ConfigurationNode) -> [ConfiguredText] {
        guard node.kind == .array else {
            self.report.error(node, "must be an array of strings, not \(node.kindWords).")
            return []
        }
        let arguments = node.elements.compactMap { element -> ConfiguredText? in
            guard let text = self.expanded(element) else { return nil }
            if element.text.string?.contains("${credential:") == true {
                self.report.warning(
                    element, "every user of this machine can read a running program's arguments.",
                    remedy: "Pass the credential in 'env', if the program can take it from there."
                )
            }
            return self.resolved(text) { $0.resolve($1) }
        }
        let masked = SecretMask.arguments(arguments.map(\.masked))
        return zip(arguments, masked).map { ConfiguredText($0.value, masked: $1) }
    }

    private mutating func environmentFile(_ node: ConfigurationNode) -> [String: ConfiguredText] {
        guard let text = node.nonEmptyString(&self.report).flatMap({ self.expanded($0, at: node) }) else { return [:] }
        let path = self.resolved(text) { $0.path($1) }.value
        guard let bytes = self.context.fileContent(path) else {
            self.problem(
                node, "the file cannot be read.", remedy: "It must exist and be readable for the service's user.")
            return [:]
        }
        let file = EnvironmentFile(bytes)
        for problem in file.problems {
            self.report.warning(node, "line \(problem.line) of that file is ignored: \(problem.message)")
        }
        return Dictionary(file.variables.map { ($0.name, ConfiguredText($0.value).hidden) }) { $1 }
    }

    /// Applies the rule for relative paths; only a file has a folder for them to start from.
    private func resolved(_ text: ConfiguredText, _ rule: (RelativePath, String) -> String) -> ConfiguredText {
        guard let directory = self.directory else { return text }
        let paths = RelativePath(
            directory: directory, home: self.context.homeDirectory, exists: self.context.fileExists
        )
        return ConfiguredText(rule(paths, text.value), masked: text.isMasked ? text.masked : rule(paths, text.masked))
    }
}
