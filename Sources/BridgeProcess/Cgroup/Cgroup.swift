package import BridgeFiles
package import Glibc

/// One group of the unified hierarchy, by its directory.
package struct Cgroup: Hashable, Sendable {
    package let directory: String

    package init(directory: String) {
        self.directory = directory
    }

    /// The group below this one, made if it is not there.
    package func makeChild(_ name: String) throws(SystemCallError) -> Cgroup {
        let child = Cgroup(directory: "\(self.directory)/\(name)")
        guard mkdir(child.directory, 0o755) == 0 || errno == EEXIST else {
            throw SystemCallError("mkdir", child.directory)
        }
        return child
    }

    /// Moves the whole calling process here. Children that it starts afterwards are born here.
    package func enter() throws(SystemCallError) {
        try SystemFile.write("0", to: self.file("cgroup.procs"))
    }

    /// `cgroup.procs`, open for writing and close-on-exec. The caller closes it.
    package func openProcesses() throws(SystemCallError) -> CInt {
        let path = self.file("cgroup.procs")
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemCallError("open", path) }
        return descriptor
    }

    /// The processes in it, not those in groups below it.
    package func processes() throws(SystemCallError) -> [pid_t] {
        try SystemFile.read(self.file("cgroup.procs")).split(separator: "\n").compactMap { pid_t($0) }
    }

    /// Sends SIGKILL to everything in it and below it. They die a moment later.
    ///
    /// Before Linux 5.14 there is no call that does it at once: then one pass is made, which a process that keeps
    /// forking may slip through; call it again while ``remove()`` says `EBUSY`.
    package func kill() throws(SystemCallError) {
        do throws(SystemCallError) {
            try SystemFile.write("1", to: self.file("cgroup.kill"))
        } catch {
            guard error.code == ENOENT else { throw error }
            for child in try self.children() { try child.kill() }
            for pid in try self.processes() where pid > 0 { _ = Glibc.kill(pid, SIGKILL) }
        }
    }

    /// Removes the group and those below it.
    ///
    /// - Throws: `EBUSY` while a living process is in one of them.
    package func remove() throws(SystemCallError) {
        do throws(SystemCallError) {
            for child in try self.children() { try child.remove() }
        } catch {
            guard error.code == ENOENT else { throw error }
        }
        guard rmdir(self.directory) == 0 || errno == ENOENT else { throw SystemCallError("rmdir", self.directory) }
    }

    private func children() throws(SystemCallError) -> [Cgroup] {
        var children: [Cgroup] = []
        for name in try SystemFile.names(in: self.directory) {
            var status = stat()
            let path = "\(self.directory)/\(name)"
            if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
                children.append(Cgroup(directory: path))
            }
        }
        return children
    }

    func file(_ name: String) -> String { "\(self.directory)/\(name)" }
}
