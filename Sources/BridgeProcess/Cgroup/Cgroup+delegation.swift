import BridgeFiles
import CSpawn
import Glibc

extension Cgroup {
    /// The leaf that the process which owns the delegated tree lives in: a group that hands controllers down may hold
    /// no process itself.
    package static let supervisorLeaf = "supervisor"

    package enum Delegation: Hashable, Sendable {
        /// This group is ours to divide.
        case delegated(Cgroup)
        case notDelegated(reason: String)
    }

    /// Whether the manager gave this process's group away (`Delegate=yes`).
    ///
    /// Being able to write is not enough for root, who can write everywhere: then the mark that systemd leaves on a
    /// delegated group must be there.
    package static func ownDelegation() -> Delegation {
        do throws(SystemCallError) {
            let location = CgroupLocation.parse(
                cgroup: try SystemFile.read("/proc/self/cgroup"),
                mountInfo: try SystemFile.read("/proc/self/mountinfo")
            )
            guard let location else { return .notDelegated(reason: "there is no unified cgroup hierarchy") }
            guard let directory = location.directory else {
                return .notDelegated(reason: "\(location.path) is not below what \(location.mountPoint) shows")
            }
            return Self.delegation(of: Cgroup(directory: directory), user: geteuid())
        } catch {
            return .notDelegated(reason: error.description)
        }
    }

    static func delegation(of group: Cgroup, user: uid_t) -> Delegation {
        // A process that moved itself into the leaf earlier, or was started there, owns what is above.
        let leaf = "/" + Self.supervisorLeaf
        if group.directory.hasSuffix(leaf) {
            let above = Cgroup(directory: String(group.directory.dropLast(leaf.count)))
            if case .delegated = Self.delegation(of: above, user: user) { return .delegated(above) }
        }
        for file in ["", "/cgroup.procs", "/cgroup.subtree_control"] {
            let path = group.directory + file
            guard faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 else {
                return .notDelegated(reason: SystemCallError("write", path).description)
            }
        }
        guard user != 0 || group.isMarkedDelegated else {
            return .notDelegated(reason: "\(group.directory) is not marked as delegated")
        }
        return .delegated(group)
    }

    private var isMarkedDelegated: Bool {
        ["trusted.delegate", "user.delegate"].contains { name in
            var value: UInt8 = 0
            return cspawn_getxattr(self.directory, name, &value, 1) == 1 && value == UInt8(ascii: "1")
        }
    }
}
