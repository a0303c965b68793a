/// Relative paths in a configuration file.
///
/// Links are not followed and `..` is left to the kernel: a virtual environment's `bin/python` is a link that must be
/// called by its own name.
struct RelativePath {
    /// Where a word is looked for before the configuration file's folder: the entry's `cwd`, absolute.
    let directories: [String]
    /// The configuration file's folder.
    let start: String
    let home: String
    let exists: (String) -> Bool

    init(directories: [String], start: String, _ context: LoadingContext) {
        self.directories = directories
        self.start = start
        self.home = context.homeDirectory
        self.exists = context.fileExists
    }

    /// A command or an argument. Flags, plain words, package names (`@scope/package`) and URLs stay as they are.
    ///
    /// | the word | becomes |
    /// |---|---|
    /// | begins with `~/` | a path in the home |
    /// | holds a `/` | the file of that name in `cwd`, else the one beside the configuration |
    /// | begins with `./` or `../`, and there is no such file | a path beside the configuration; with a `cwd`, itself |
    /// | holds a `/`, and there is no such file | itself |
    func resolve(_ word: String) -> String {
        if word.hasPrefix("/") { return word }
        if word.hasPrefix("~/") { return self.path(word) }
        let isPath = word.hasPrefix("./") || word.hasPrefix("../")
        guard isPath || (word.contains("/") && !word.contains("://") && !word.hasPrefix("-")) else { return word }
        let candidates = (self.directories + [self.start]).map { Self.path(word, in: $0) }
        if let found = candidates.first(where: self.exists) { return found }
        return isPath && self.directories.isEmpty ? self.path(word) : word
    }

    /// Something that is a path for certain, and starts at the configuration file's folder.
    func path(_ path: String) -> String {
        if path == "~" { return self.home }
        if path.hasPrefix("~/") { return Self.join(self.home, path.dropFirst(2)) }
        return Self.path(path, in: self.start)
    }

    private static func path(_ path: String, in directory: String) -> String {
        if path.hasPrefix("/") { return path }
        var rest = path[...]
        while rest.hasPrefix("./") { rest = rest.dropFirst(2).drop { $0 == "/" } }
        if rest.isEmpty || rest == "." { return directory }
        return Self.join(directory, rest)
    }

    static func join(_ directory: String, _ path: some StringProtocol) -> String {
        directory.hasSuffix("/") ? "\(directory)\(path)" : "\(directory)/\(path)"
    }
}
