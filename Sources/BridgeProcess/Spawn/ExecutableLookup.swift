import Glibc

/// Finds a program the way execvp(3) would, but before the fork and with a reason when there is none.
package enum ExecutableLookup {
    package enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        case noCommand
        /// `searched` are the directories that were looked into; empty when the command was a path.
        case notFound(String, searched: [String])
        case notExecutable(String)
        case isDirectory(String)

        package var description: String {
            switch self {
            case .noCommand: "the command is empty"
            case .notFound(let command, searched: []): "\(command) does not exist"
            case .notFound(let command, let searched):
                "\(command) was not found in \(searched.joined(separator: ":"))"
            case .notExecutable(let path): "\(path) is not executable for this user"
            case .isDirectory(let path): "\(path) is a directory"
            }
        }
    }

    /// What this program is called. By this name it starts itself where no `PATH` leads to it.
    private static let ownName = "mcp-bridge"

    /// This program, by a path that is good when a newer one has taken its place, too.
    private static var own: String {
        guard let path = realpath("/proc/self/exe", nil) else { return "/proc/self/exe" }
        defer { free(path) }
        return String(cString: path)
    }

    /// What is searched when there is no `PATH`.
    package static let standardPath = "/usr/local/bin:/usr/bin:/bin"

    /// - Parameters:
    ///   - command: a name, or with a `/` in it a path.
    ///   - path: directories separated by colons, the child's own `PATH`; an empty one is the working directory.
    ///   - workingDirectory: what relative paths start from; `nil` is this process's.
    /// - Returns: A path that is absolute if the working directory or the command is.
    package static func find(
        _ command: String,
        path: String?,
        workingDirectory: String?
    ) throws(Failure) -> String {
        guard !command.isEmpty else { throw .noCommand }
        if command.utf8.contains(UInt8(ascii: "/")) {
            let file = Self.resolve(command, in: workingDirectory)
            if let failure = Self.obstacle(at: file) { throw failure }
            return file
        }
        let directories = (path ?? Self.standardPath).split(separator: ":", omittingEmptySubsequences: false)
            .map { Self.resolve($0.isEmpty ? "." : String($0), in: workingDirectory) }
        var nearMiss: Failure?
        for directory in directories {
            let file = directory.hasSuffix("/") ? directory + command : "\(directory)/\(command)"
            switch Self.obstacle(at: file) {
            case nil: return file
            case .notFound: continue
            case let failure?: nearMiss = nearMiss ?? failure
            }
        }
        if nearMiss == nil, command == Self.ownName { return Self.own }
        throw nearMiss ?? .notFound(command, searched: directories)
    }

    private static func resolve(_ path: String, in directory: String?) -> String {
        guard !path.hasPrefix("/"), let directory else { return path }
        return directory.hasSuffix("/") ? directory + path : "\(directory)/\(path)"
    }

    private static func obstacle(at file: String) -> Failure? {
        var status = stat()
        guard stat(file, &status) == 0 else {
            return errno == EACCES ? .notExecutable(file) : .notFound(file, searched: [])
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return .isDirectory(file)
        case S_IFREG: return faccessat(AT_FDCWD, file, X_OK, AT_EACCESS) == 0 ? nil : .notExecutable(file)
        default: return .notExecutable(file)
        }
    }
}
