/// Why a program cannot be started.
package enum StartObstacle: Sendable, Hashable {
    /// There is no such folder.
    case folder
    /// A sentence about the command, without its full stop.
    case command(String)
}

/// What came of a reference to a secret that something else keeps.
package enum SecretReference: Sendable, Hashable {
    case known(String)
    /// Why it is not, in words without a full stop.
    case unknown(String)
}

/// What the world looks like to a configuration that is being read. Everything that is not in the file comes through
/// here.
package struct LoadingContext: Sendable {
    /// The service's environment.
    package var variables: [String: String]
    /// Of the service's user.
    package var homeDirectory: String
    /// The absolute path of this executable, which serves the demo upstream.
    package var executablePath: String
    /// The content of a credential; `nil` when there is none of that name.
    package var credential: @Sendable (String) -> String?
    /// What a reference to a password manager stands for: `op://vault/item/field`.
    package var reference: @Sendable (String) -> SecretReference
    /// The content of an `envFile`; `nil` when it cannot be read.
    package var fileContent: @Sendable (String) -> [UInt8]?
    package var fileExists: @Sendable (String) -> Bool
    /// What keeps a program from being started now: its command, the `PATH` that it is looked for in, and its folder.
    /// Nobody looks, unless somebody asks what is wrong.
    package var obstacle: @Sendable (_ command: String, _ path: String?, _ folder: String) -> StartObstacle?
    /// The user id of a user's name.
    package var userID: @Sendable (String) -> UInt32?

    package init(
        variables: [String: String] = [:],
        homeDirectory: String = "/root",
        executablePath: String = "/usr/bin/mcp-bridge",
        credential: @escaping @Sendable (String) -> String? = { _ in nil },
        reference: @escaping @Sendable (String) -> SecretReference = { _ in .unknown("nobody reads it here") },
        fileContent: @escaping @Sendable (String) -> [UInt8]? = { _ in nil },
        fileExists: @escaping @Sendable (String) -> Bool = { _ in false },
        obstacle: @escaping @Sendable (String, String?, String) -> StartObstacle? = { _, _, _ in nil },
        userID: @escaping @Sendable (String) -> UInt32? = { _ in nil }
    ) {
        self.variables = variables
        self.homeDirectory = homeDirectory
        self.executablePath = executablePath
        self.credential = credential
        self.reference = reference
        self.fileContent = fileContent
        self.fileExists = fileExists
        self.obstacle = obstacle
        self.userID = userID
    }

    var expander: TextExpander {
        TextExpander(variables: self.variables, home: self.homeDirectory, reference: self.reference) { name in
            guard Self.isCredentialName(name), var text = self.credential(name) else { return nil }
            if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
            return text
        }
    }

    /// Where a program runs whose entry does not say: the home, or the root where that is not there.
    var standardDirectory: String { self.fileExists(self.homeDirectory) ? self.homeDirectory : "/" }

    /// A credential is a file in one folder: a name that leaves the folder is no name.
    private static func isCredentialName(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".." && !name.contains("/") && !name.utf8.contains(0)
    }
}

/// The variables can hold secrets.
extension LoadingContext: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "LoadingContext(\(self.variables.count) variables)" }
    package var debugDescription: String { self.description }
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
