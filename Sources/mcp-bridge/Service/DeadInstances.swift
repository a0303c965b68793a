import BridgeProcess
import FoundationEssentials
import Glibc

/// The state folders of bridges that commands ran for themselves (``OwnBridge``) and that have not been started for long: every
/// configuration that was ever tried has left one. What is in use is locked.
enum DeadInstances {
    /// In days. A further copy has nothing that outlasts its sessions, which are good for seven.
    static let copiesAge = 8
    static let age = 90
    /// What somebody would miss: sign-ins, and servers that were added over HTTP. A folder that has them stays.
    static let work = ["oauth", "servers.json"]

    /// - Parameters:
    ///   - own: the folder that this process has.
    ///   - now: in seconds since 1970.
    ///   - onLook: told of each that seems to be dead, before that is looked at again under its lock.
    static func remove(beside own: String, now: Int = time(nil), onLook: (_ folder: String) -> Void = { _ in }) {
        guard let slash = own.lastIndex(of: "/") else { return }
        let directory = own[..<slash]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: String(directory))) ?? [] {
            let folder = "\(directory)/\(name)"
            if name.hasSuffix(Self.removed) { try? FileManager.default.removeItem(atPath: folder) }
            guard folder != own, let isCopy = Self.isCopy(name), Self.isDead(folder, isCopy: isCopy, now) else {
                continue
            }
            onLook(folder)
            guard let lock = try? FolderLock.takeUnsaid(folder) else { continue }
            defer { lock.release() }
            // Somebody may have had it meanwhile. Whoever wants it from here on makes another one.
            guard Self.isDead(folder, isCopy: isCopy, now), rename(folder, folder + Self.removed) == 0 else { continue }
            try? FileManager.default.removeItem(atPath: folder + Self.removed)
        }
    }

    /// What the name of a folder ends with that is being removed.
    private static let removed = ".removed"

    private static func isDead(_ folder: String, isCopy: Bool, _ now: Int) -> Bool {
        guard let started = Self.started(folder), now - started > 86_400 * (isCopy ? Self.copiesAge : Self.age) else {
            return false
        }
        return !Self.work.contains { access("\(folder)/\($0)", F_OK) == 0 }
    }

    /// Whether this is the folder of a further copy; nil for what is no such folder at all.
    private static func isCopy(_ name: String) -> Bool? {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts[0].utf8.count == 16, parts[0].allSatisfy(\.isHexDigit), parts.count <= 2 else { return nil }
        return parts.count == 1 ? false : Int(parts[1]).map { $0 > 1 }
    }

    /// Its file says who has it, and is written at each start.
    private static func started(_ folder: String) -> Int? {
        var status = stat()
        guard lstat("\(folder)/lock", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return status.st_mtim.tv_sec
    }
}
