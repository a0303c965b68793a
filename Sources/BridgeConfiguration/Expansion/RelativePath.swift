/// Paths in a configuration file that are meant to start at the file's folder.
///
/// Links are not followed and `..` is left to the kernel: a virtual environment's `bin/python` is a link that must be
/// called by its own name.
struct RelativePath {
    /// The configuration file's folder.
    let directory: String
    let home: String
    let exists: (String) -> Bool

    /// A command or an argument. Rewritten when it begins with `./`, `../` or `~/`, or when it contains `/` and exists
    /// in the file's folder. Flags, plain words, package names (`@scope/package`) and URLs stay as they are.
    func resolve(_ word: String) -> String {
        if word.hasPrefix("/") { return word }
        if word.hasPrefix("~/") || word.hasPrefix("./") || word.hasPrefix("../") { return self.path(word) }
        guard word.contains("/"), !word.contains("://"), !word.hasPrefix("-") else { return word }
        let candidate = self.path(word)
        return self.exists(candidate) ? candidate : word
    }

    /// Something that is a path for certain.
    func path(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        if path == "~" { return self.home }
        if path.hasPrefix("~/") { return Self.join(self.home, path.dropFirst(2)) }
        var rest = path[...]
        while rest.hasPrefix("./") { rest = rest.dropFirst(2).drop { $0 == "/" } }
        if rest.isEmpty || rest == "." { return self.directory }
        return Self.join(self.directory, rest)
    }

    static func join(_ directory: String, _ path: some StringProtocol) -> String {
        directory.hasSuffix("/") ? "\(directory)\(path)" : "\(directory)/\(path)"
    }
}
