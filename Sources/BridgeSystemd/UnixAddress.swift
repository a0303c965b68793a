import CSystemd  // with <sys/socket.h>, whose declarations the compiler may find here and not in Glibc
import Glibc

/// The address of a Unix socket, as `NOTIFY_SOCKET` spells it: an absolute path, or `@` and an abstract name.
struct UnixAddress {
    private let storage: sockaddr_un
    private let length: socklen_t

    init(_ text: String) throws(SystemdError) {
        var name = Array(text.utf8)
        guard let first = name.first, name.count > 1, !name.contains(0) else {
            throw SystemdError(.address, "'\(text)' is not the address of a Unix socket")
        }
        switch first {
        case UInt8(ascii: "/"): name.append(0)
        case UInt8(ascii: "@"): name[0] = 0
        default: throw SystemdError(.address, "'\(text)' is neither an absolute path nor an abstract socket name")
        }
        var storage = sockaddr_un()
        storage.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &storage.sun_path) { path in
            guard name.count <= path.count else { return false }
            path.copyBytes(from: name)
            return true
        }
        guard fits else { throw SystemdError(.address, "'\(text)' is too long for the address of a Unix socket") }
        self.storage = storage
        self.length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
    }

    /// Lends the address in the form that the socket calls take.
    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: self.storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, self.length) }
        }
    }
}
