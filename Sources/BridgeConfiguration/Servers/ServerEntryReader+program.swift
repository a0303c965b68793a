import BridgeCore

/// Programs: what is started, and what they find.
extension ServerEntryReader {
    struct ProgramKeys {
        var arguments: ConfigurationNode?
        var environment: ConfigurationNode?
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

    /// Zed's older files have the whole program in `command`: `{path, args, env}`.
    private mutating func taken(
        apart command: ConfigurationNode, _ keys: ProgramKeys
    ) -> (command: ConfigurationNode, keys: ProgramKeys)? {
        guard command.kind == .object else { return (command, keys) }
        guard var object = ObjectReader(command, report: &self.report) else { return nil }
        let path = object.take("path")
        var keys = keys
        keys.arguments = object.take("args") ?? keys.arguments
        keys.environment = object.take("env") ?? keys.environment
        // Read with the entry's other times.
        _ = object.take("timeout")
        object.finish(known: ["path", "args", "env", "timeout"], lenient: self.isLenient, report: &self.report)
        if path == nil { self.report.error(command, "must have a 'path'.") }
        return path.map { ($0, keys) }
    }

    mutating func program(_ command: ConfigurationNode, _ keys: ProgramKeys) -> UpstreamTarget.Program? {
        guard let (command, keys) = self.taken(apart: command, keys) else { return nil }
        let directory = self.workingDirectory(keys.directory)
        let text = command.nonEmptyString(&self.report).flatMap { self.expanded($0, at: command) }
        var program = UpstreamTarget.Program(
            command: text.map { self.resolved($0, in: directory) } ?? ConfiguredText("")
        )
        program.workingDirectory = directory
        program.arguments = keys.arguments.map { self.arguments($0, in: directory) } ?? []
        if let file = keys.environmentFile { program.environment = self.environmentFile(file) }
        for pair in self.pairs(keys.environment) {
            guard !pair.name.isEmpty, !pair.name.contains("="), !pair.name.utf8.contains(0) else {
                // Not by its name: it may be a whole 'NAME=value'.
                self.report.add(
                    .error, at: pair.node.offset, keys.environment?.path ?? "",
                    "a key is not the name of an environment variable.")
                continue
            }
            if pair.node.text.string.map(Self.isBareVariable) ?? false {
                self.report.warning(
                    pair.node, "is passed on as it is written.",
                    remedy: "Write the variable's name in '${…}' for its value; '$' alone stands for itself."
                )
            }
            program.environment[pair.name] = pair.value?.hidden
            if pair.value == nil { program.removedVariables.insert(pair.name) }
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
        return text == nil ? nil : program
    }

    /// `$NAME`, which Gemini CLI reads as `${NAME}`, and others do not.
    private static func isBareVariable(_ text: String) -> Bool {
        guard text.hasPrefix("$"), let first = text.utf8.dropFirst().first, !(0x30...0x39).contains(first) else {
            return false
        }
        return text.utf8.dropFirst().allSatisfy {
            (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
        }
    }

    private mutating func workingDirectory(_ node: ConfigurationNode?) -> ConfiguredText? {
        let written = node.flatMap { self.expanded($0) }
        if let written, !written.value.isEmpty { return self.path(written) }
        return self.folder.map { ConfiguredText($0) }
    }

    private mutating func arguments(_ node: ConfigurationNode, in directory: ConfiguredText?) -> [ConfiguredText] {
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
            return self.resolved(text, in: directory)
        }
        let masked = SecretMask.arguments(arguments.map(\.masked))
        return zip(arguments, masked).map { ConfiguredText($0.value, masked: $1) }
    }

    private mutating func environmentFile(_ node: ConfigurationNode) -> [String: ConfiguredText] {
        guard let text = node.nonEmptyString(&self.report).flatMap({ self.expanded($0, at: node) }) else { return [:] }
        let path = self.path(text).value
        guard let bytes = self.context.fileContent(path) else {
            self.problem(
                node, "the file cannot be read.", remedy: "It must exist and be readable for the service's user.")
            return [:]
        }
        if let encoding = TextEncoding.foreign(in: bytes) {
            self.problem(node, "the file is \(encoding).", remedy: "Save it as UTF-8.")
            return [:]
        }
        let file = EnvironmentFile(bytes)
        for problem in file.problems {
            self.report.warning(node, "line \(problem.line) of that file is ignored: \(problem.message)")
        }
        for variable in file.variables where variable.value.utf8.contains(0) {
            self.problem(
                node, "the value of \(variable.name) in that file contains a NUL character, which no process can take.",
                remedy: "Take it out of the file."
            )
        }
        return Dictionary(file.variables.map { ($0.name, ConfiguredText($0.value).hidden) }) { $1 }
    }

    /// What is a path for certain starts at the configuration file's folder, or at the home where there is no file.
    func path(_ text: ConfiguredText) -> ConfiguredText {
        let paths = RelativePath(
            directories: [], start: self.folder ?? self.directory ?? self.context.homeDirectory, self.context)
        return Self.mapped(text, paths.path)
    }

    /// A word of the command: looked for in the folder the program runs in, then beside the configuration file. Without a
    /// file, words stay as they were sent.
    private func resolved(_ text: ConfiguredText, in directory: ConfiguredText?) -> ConfiguredText {
        guard let start = self.directory else { return text }
        let paths = RelativePath(directories: [directory?.value].compactMap(\.self), start: start, self.context)
        let value = ConfiguredText(paths.resolve(text.value))
        // The folder may hold something secret.
        let isInDirectory = directory.map { $0.isMasked && value.value.hasPrefix($0.value) } ?? false
        if text.isMasked { return ConfiguredText(value.value, masked: text.masked) }
        return isInDirectory && value.value != text.value ? ConfiguredText(value.value, masked: text.masked) : value
    }

    private static func mapped(_ text: ConfiguredText, _ rule: (String) -> String) -> ConfiguredText {
        ConfiguredText(rule(text.value), masked: text.isMasked ? text.masked : rule(text.masked))
    }
}
