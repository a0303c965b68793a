package import Glibc

/// One process of the system. Its start time keeps it apart from a later one with the same number.
package struct ProcessIdentity: Hashable, Sendable {
    package let pid: pid_t
    /// In clock ticks since the machine started.
    package let startTime: UInt64

    package init(pid: pid_t, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }
}

/// What `/proc/<pid>/stat` says.
package struct ProcessStatus: Hashable, Sendable {
    package let identity: ProcessIdentity
    package let parent: pid_t
    /// Its process group: that of the child that it comes from, unless it has left that.
    package let group: pid_t
    /// It has ended and only waits to be reaped.
    package let isDead: Bool

    /// `nil` when there is no such process.
    package init?(pid: pid_t) {
        guard let text = try? SystemFile.read("/proc/\(pid)/stat") else { return nil }
        self.init(parsing: text)
    }

    /// `42 (any (name) at all) S 1 …`
    package init?(parsing text: String) {
        guard let nameEnd = text.lastIndex(of: ")"), let pid = text.split(separator: " ").first.flatMap({ pid_t($0) })
        else { return nil }
        // The first is field 3 of proc(5).
        let fields = text[text.index(after: nameEnd)...].split { $0 == " " || $0 == "\n" }
        guard
            fields.count > 19,
            let parent = pid_t(fields[1]),
            let group = pid_t(fields[2]),
            let threads = Int(fields[17]),
            let startTime = UInt64(fields[19])
        else { return nil }
        self.identity = ProcessIdentity(pid: pid, startTime: startTime)
        self.parent = parent
        self.group = group
        // A zombie with further threads is alive: only its first thread has ended, as Swift's main thread may.
        self.isDead = fields[0] == "X" || (fields[0] == "Z" && threads <= 1)
    }
}
