import BridgeAccess
import BridgeConfiguration
import BridgeCore
import BridgeFiles
import BridgeMCP
import BridgeProcess
import BridgeSupervisor
import BridgeSystemd
import CNIOLinux
import FoundationEssentials
import Glibc
import NIOCore

/// Where the service's files and sockets lie, and its key.
struct ServicePlaces {
    /// Of the workers' own sockets; nobody else's to enter.
    let runDirectory: String
    /// Of the sockets that clients use when systemd passes none.
    let socketDirectory: String?
    let state: StatePaths
    /// For as long as this process lives; nil where the file system has no locks.
    private let lock: FolderLock?
    /// Whether this process made the run directory and removes it in the end.
    private let ownsRunDirectory: Bool

    /// The process's own, with what a bridge of its own has instead.
    let environment: [String: String]

    init(environment: [String: String], start: BridgeStart) throws {
        (self.environment, self.lock) = try Self.hold(environment, start)
        self.state = StatePaths(environment: self.environment)
        let base = ClientPlaces.directory(environment: environment)
        self.socketDirectory = start.own == nil ? base : nil
        if start.own == nil, let runtime = SystemdDirectories.runtime(environment: environment) {
            self.runDirectory = runtime
            self.ownsRunDirectory = false
        } else {
            try PrivateFile.makeDirectory(base, mode: 0o755)
            try Self.checkOwner(of: base)
            Self.removeStale(in: base)
            self.runDirectory = "\(base)/w\(getpid())"
            self.ownsRunDirectory = true
            try PrivateFile.makeDirectory(self.runDirectory)
        }
    }

    /// Whether the state folder has been locked.
    var isHeld: Bool { self.lock != nil }

    /// Takes the state folder for this process: of bridges of which several may run, the first that is free.
    private static func hold(
        _ environment: [String: String], _ start: BridgeStart
    ) throws -> (environment: [String: String], lock: FolderLock?) {
        let directory = ConfigurationLocations.stateDirectory(environment: environment)
        guard let own = start.own else { return (environment, try Self.hold(directory, start)) }
        var number = 1
        while true {
            let folder = own.folder(number, below: directory)
            do {
                let lock = try Self.hold(folder, start)
                DeadInstances.remove(beside: folder)
                return (OwnBridge.environment(environment, state: folder), lock)
            } catch is FolderLock.Held where number < start.copies {
                number += 1
            }
        }
    }

    private static func hold(_ folder: String, _ start: BridgeStart) throws -> FolderLock? {
        // It may be cleaned away in this very moment (``DeadInstances``).
        for _ in 0..<4 {
            try PrivateFile.makeDirectory(folder)
            do { return try FolderLock.take(folder, as: start.words) } catch let error as SystemCallError {
                guard error.code == ENOENT else { throw error }
            }
        }
        return try FolderLock.take(folder, as: start.words)
    }

    func remove() {
        guard self.ownsRunDirectory else { return }
        Self.removeDirectory(self.runDirectory)
    }

    /// - Parameter commands: where the programs are known that are asked for secrets.
    func openBook(
        _ start: BridgeStart, originalLimit: UInt64?, cgroup: String?, commands: ShortCommands
    ) throws -> ConfigurationBook {
        let environment = self.environment
        var facts = RuntimeFacts(
            runDirectory: self.runDirectory, statePaths: self.state,
            sealingKey: try KeyFile.sealing(self.state).key(environment: environment),
            tokenKey: try KeyFile.token(self.state).key(environment: environment), serviceUID: geteuid(),
            environment: environment, version: BridgeVersion.text, originalNoFileLimit: originalLimit,
            cgroupDirectory: cgroup
        )
        facts.isOpenOnLoopback = start.isOpenOnLoopback
        facts.oauthKey = try KeyFile.oauth(environment: environment)
        guard SessionSeal(base64Key: facts.sealingKey.value) != nil else {
            throw ConfigurationBook.Refused(
                description:
                    "the sealing key (\(self.state.sealingKey), or the credential 'sealing-key') is not 32 bytes in "
                    + "base64; remove it, and a new one is made (every session then begins anew)"
            )
        }
        guard facts.tokenKey.flatMap({ TokenKey(base64: $0.value) }) != nil else {
            throw ConfigurationBook.Refused(
                description:
                    "the token key (\(self.state.tokenKey), or the credential 'token-key') is not 32 bytes in base64; put "
                    + "the right one back, or remove it: then a new one is made, and all tokens have to be made anew"
            )
        }
        return try ConfigurationBook(
            context: .ofThisProcess(environment: environment, commands: commands), facts: facts,
            candidates: start.candidates(environment, isSystemService: Self.isSystemService(environment)),
            command: start.settings
        )
    }

    /// Where a client's program listens for its client alone.
    var ownSocket: String { "\(self.runDirectory)/http.sock" }

    /// The control socket in the state directory of a bridge of its own.
    static func ownControl(in state: String) -> String { "\(state)/control.sock" }

    /// Whether the configuration is the machine's and not a user's.
    static func isSystemService(_ environment: [String: String]) -> Bool {
        geteuid() == 0 || environment["STATE_DIRECTORY"]?.hasPrefix("/var/lib/") == true
    }

    /// In a folder that anybody may write to, somebody else may have made ours beforehand.
    private static func checkOwner(of directory: String) throws {
        var status = stat()
        guard lstat(directory, &status) == 0 else { throw SystemCallError("lstat", directory) }
        guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid() || status.st_uid == 0 else {
            throw SystemCallError("use", directory, code: EPERM)
        }
    }

    // MARK: What a killed process left

    private static func removeStale(in base: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? [] where name.hasPrefix("w") {
            guard let pid = Int32(name.dropFirst()), kill(pid, 0) != 0, errno == ESRCH else { continue }
            Self.removeDirectory("\(base)/\(name)")
        }
    }

    private static func removeDirectory(_ path: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] { unlink("\(path)/\(name)") }
        rmdir(path)
    }
}

extension LoadingContext {
    /// The world as this process sees it.
    static func ofThisProcess(
        environment: [String: String], commands: ShortCommands = ShortCommands()
    ) -> LoadingContext {
        let credentials = Credentials(environment: environment)
        let vault = OnePassword(environment: environment, among: commands)
        return LoadingContext(
            variables: environment,
            homeDirectory: environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? "/",
            executablePath: (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
                ?? "mcp-bridge",
            credential: { name in
                guard let bytes = try? credentials.read(name) else { return nil }
                return String(decoding: bytes, as: UTF8.self)
            },
            reference: { vault.read($0) },
            fileContent: { try? WholeFile.read($0, limit: 1 << 20) },
            fileExists: { access($0, F_OK) == 0 },
            userID: { name in
                var entry = passwd()
                var found: UnsafeMutablePointer<passwd>?
                var room = [CChar](repeating: 0, count: 16 << 10)
                guard getpwnam_r(name, &entry, &room, room.count, &found) == 0, found != nil else { return nil }
                return entry.pw_uid
            }
        )
    }
}
