import FoundationEssentials
import Glibc

/// The secrets that systemd hands to the service (`LoadCredential=`, `SetCredential=`): one file each in a directory.
package struct Credentials: Hashable, Sendable {
    /// systemd's own limit for all credentials of a service together.
    package static let maximumSize = 1 << 20

    /// `nil`: there are none.
    package let directory: String?

    package init(directory: String?) {
        self.directory = directory
    }

    package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        self.init(directory: environment["CREDENTIALS_DIRECTORY"].flatMap { $0.hasPrefix("/") ? $0 : nil })
    }

    /// The content of one credential; `nil` when there is no such credential. Reads the disk.
    ///
    /// - Throws: ``SystemdError/Code/name`` for a name that could not be a credential's, and so for every path;
    ///   ``SystemdError/Code/credential`` for one that cannot be read, is no file, or is longer than ``maximumSize``.
    package func read(_ name: String) throws(SystemdError) -> [UInt8]? {
        guard Self.isValidName(name) else { throw SystemdError(.name, "'\(name)' cannot name a credential") }
        guard let directory = self.directory else { return nil }
        // Not blocking, for whatever lies there instead of a file.
        let descriptor = open("\(directory)/\(name)", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw SystemdError(.credential, "Cannot open the credential '\(name)'", errorNumber: errno)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SystemdError(.credential, "The credential '\(name)' is not a file")
        }
        let (content, failure) = Self.content(of: descriptor, upTo: Self.maximumSize)
        guard failure == 0 else {
            throw SystemdError(.credential, "Cannot read the credential '\(name)'", errorNumber: failure)
        }
        guard content.count <= Self.maximumSize else {
            throw SystemdError(.credential, "The credential '\(name)' is longer than \(Self.maximumSize) bytes")
        }
        return content
    }

    /// Whether systemd would accept the name: a file name of at most 255 printable ASCII characters without a colon.
    package static func isValidName(_ name: String) -> Bool {
        ListenSockets.isValidName(name) && !name.utf8.contains(UInt8(ascii: "/")) && name != "." && name != ".."
    }

    /// At most one byte more than `limit`, which tells a longer file.
    private static func content(of descriptor: Int32, upTo limit: Int) -> (content: [UInt8], failure: Int32) {
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while content.count <= limit {
            let count = Glibc.read(descriptor, &chunk, min(chunk.count, limit + 1 - content.count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return ([], errno) }
            guard count > 0 else { break }
            content.append(contentsOf: chunk[..<count])
        }
        return (content, 0)
    }
}
