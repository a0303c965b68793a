import BridgeFiles
import CSpawn
package import Glibc

/// The processes below a process.
package enum ProcessTree {
    /// All living descendants of a process, except some children and what is below those.
    ///
    /// The kernel's lists may miss a process that moves to another parent while they are read, so they are read until
    /// two readings agree. One that is started afterwards is not in it.
    package static func descendants(of root: pid_t, except: Set<pid_t> = []) -> Set<ProcessIdentity> {
        var last = Self.read(below: root, except: except)
        for _ in 0..<8 {
            let next = Self.read(below: root, except: except)
            if next == last { break }
            last = next
        }
        return last
    }

    /// The children of a process, the dead ones included.
    package static func children(of pid: pid_t) -> [pid_t] {
        guard let threads = try? SystemFile.names(in: "/proc/\(pid)/task") else { return [] }
        var children: [pid_t] = []
        for thread in threads {
            do throws(SystemCallError) {
                let text = try SystemFile.read("/proc/\(pid)/task/\(thread)/children")
                children += text.split(separator: " ").compactMap { pid_t($0) }
            } catch {
                // The thread has ended, unless this kernel has no such file at all (CONFIG_PROC_CHILDREN).
                if error.code == ENOENT, access("/proc/self/task/\(getpid())/children", F_OK) != 0 {
                    return Self.childrenByScan(of: pid)
                }
            }
        }
        return children
    }

    /// - Returns: Whether it was still there. A later process with the same number is not touched.
    @discardableResult
    static func send(_ signal: CInt, to process: ProcessIdentity) -> Bool {
        let descriptor = cspawn_pidfd_open(process.pid)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // Looked at after the opening: it is this process that the descriptor holds.
        guard ProcessStatus(pid: process.pid)?.identity == process else { return false }
        return cspawn_pidfd_send_signal(descriptor, signal) == 0
    }

    private static func read(below root: pid_t, except: Set<pid_t>) -> Set<ProcessIdentity> {
        var found: Set<ProcessIdentity> = []
        var seen: Set<pid_t> = except
        var pending = [root]
        while let parent = pending.popLast() {
            for child in Self.children(of: parent) where seen.insert(child).inserted {
                guard let status = ProcessStatus(pid: child), !status.isDead else { continue }
                found.insert(status.identity)
                pending.append(child)
            }
        }
        return found
    }

    static func childrenByScan(of parent: pid_t) -> [pid_t] {
        let names = (try? SystemFile.names(in: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { ProcessStatus(pid: $0)?.parent == parent }
    }
}
