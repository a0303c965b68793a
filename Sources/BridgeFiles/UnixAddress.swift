package import Glibc

/// The address of a Unix socket: a path, or `@` and an abstract name.
package struct UnixAddress: Sendable {
    package enum Problem: Error, Hashable, Sendable {
        /// Nothing, or with a NUL byte in it.
        case malformed
        /// Longer than the 108 bytes that the system has for it.
        case tooLong
    }

    private let storage: sockaddr_un
    private let length: socklen_t

    /// As `NOTIFY_SOCKET` spells it: a path, or `@` and an abstract name.
    package init(_ text: String) throws(Problem) {
        if text.hasPrefix("@") {
            guard text.utf8.count > 1, !text.utf8.contains(0) else { throw .malformed }
            try self.init(name: [0] + Array(text.utf8.dropFirst()))
        } else {
            try self.init(path: text)
        }
    }

    package init(path: String) throws(Problem) {
        guard !path.isEmpty, !path.utf8.contains(0) else { throw .malformed }
        try self.init(name: Array(path.utf8) + [0])
    }

    private init(name: [UInt8]) throws(Problem) {
        var storage = sockaddr_un()
        storage.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &storage.sun_path) { path in
            guard name.count <= path.count else { return false }
            path.copyBytes(from: name)
            return true
        }
        guard fits else { throw .tooLong }
        self.storage = storage
        self.length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
    }

    /// Lends the address in the form that the socket calls take.
    package func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: self.storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, self.length) }
        }
    }
}
