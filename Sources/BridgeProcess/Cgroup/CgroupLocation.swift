/// Where a process lies in the unified (v2) hierarchy, and where that hierarchy is mounted.
package struct CgroupLocation: Hashable, Sendable {
    package let mountPoint: String
    /// What the mount shows as its own root: `/`, or in a container some deeper group.
    package let mountRoot: String
    /// From the hierarchy's root: `/system.slice/mcp-bridge.service`.
    package let path: String

    /// The group's directory, or `nil` when the mount does not show it.
    package var directory: String? {
        if self.path == self.mountRoot { return self.mountPoint }
        let root = self.mountRoot == "/" ? "" : self.mountRoot
        guard self.path.hasPrefix(root + "/") else { return nil }
        let rest = self.path.dropFirst(root.count)
        return self.mountPoint == "/" ? String(rest) : self.mountPoint + rest
    }

    /// Reads the texts of `/proc/self/cgroup` and `/proc/self/mountinfo`.
    ///
    /// In the hybrid layout the unified hierarchy lies beside those of v1, which are passed over.
    ///
    /// - Returns: `nil` when there is no unified hierarchy.
    package static func parse(cgroup: String, mountInfo: String) -> CgroupLocation? {
        guard let path = Self.path(in: cgroup) else { return nil }
        let mounts = mountInfo.split(separator: "\n").compactMap(Self.mount(in:))
        let candidates = mounts.map { Self(mountPoint: $0.point, mountRoot: $0.root, path: path) }
        // A later mount hides an earlier one.
        return candidates.last { $0.directory != nil } ?? candidates.last
    }

    /// From `0::/some/group`. A group that was removed meanwhile has ` (deleted)` behind it, and is none.
    private static func path(in cgroup: String) -> String? {
        for line in cgroup.split(separator: "\n") where line.hasPrefix("0::/") {
            return line.hasSuffix(" (deleted)") ? nil : String(line.dropFirst(3))
        }
        return nil
    }

    /// From `41 31 0:38 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw`, where ` - ` ends a list of any
    /// length.
    private static func mount(in line: Substring) -> (root: String, point: String)? {
        let fields = line.split(separator: " ")
        guard
            let separator = fields.dropFirst(6).firstIndex(of: "-"),
            separator + 1 < fields.count,
            fields[separator + 1] == "cgroup2"
        else { return nil }
        return (Self.unescape(fields[3]), Self.unescape(fields[4]))
    }

    /// The kernel writes blanks, tabs, line ends and backslashes as `\040` and so on.
    private static func unescape(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.first {
            let digits = rest.dropFirst().prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest = rest.dropFirst(4)
            } else {
                bytes.append(byte)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
