import CSystemd
import Glibc

/// The descriptors passed at start in `LISTEN_FDS`, `LISTEN_FDNAMES` and `LISTEN_PID`: by systemd to the daemon (its
/// socket units and its descriptor store), and by the daemon to a worker.
package enum ListenSockets {
    /// Takes over the descriptors meant for this process, in the order given; none when `LISTEN_PID` names another.
    ///
    /// Removes the three variables from the environment, so that a second call finds nothing and no child is misled,
    /// and sets close-on-exec. Changing the environment is not safe beside other threads: call it first in `main`.
    ///
    /// - Throws: ``SystemdError/Code/handover`` when the variables are there and make no sense.
    package static func take() throws(SystemdError) -> [ListenSocket] {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = sd_listen_fds_with_names(1, &names)
        guard count >= 0 else {
            throw SystemdError(.handover, "Cannot take over the sockets in LISTEN_FDS", errorNumber: -count)
        }
        guard let names else { return [] }
        defer { free(names) }
        return (0..<Int(count)).map { index in
            let descriptor = SD_LISTEN_FDS_START + Int32(index)
            guard let name = names[index] else { return ListenSocket(name: Self.unnamed, descriptor: descriptor) }
            defer { free(name) }
            return ListenSocket(name: String(cString: name), descriptor: descriptor)
        }
    }

    /// The name of a descriptor that came without one (sd_listen_fds(3)).
    package static let unnamed = "unknown"

    /// Whether `name` may stand in `FDNAME=` and `LISTEN_FDNAMES`: 1 to 255 printable ASCII characters, no colon.
    package static func isValidName(_ name: String) -> Bool {
        (1...255).contains(name.utf8.count)
            && name.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: ":") }
    }
}
