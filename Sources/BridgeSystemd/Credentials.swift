import BridgeFiles
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
        do throws(SystemCallError) {
            return try WholeFile.readIfPresent("\(directory)/\(name)", limit: Self.maximumSize)
        } catch {
            throw SystemdError(.credential, Self.complaint(about: name, error), errorNumber: error.code)
        }
    }

    private static func complaint(about name: String, _ error: SystemCallError) -> String {
        switch error.code {
        case EFBIG: "The credential '\(name)' is longer than \(Self.maximumSize) bytes"
        default: "Cannot read the credential '\(name)'"
        }
    }

    /// Whether systemd would accept the name: a file name of at most 255 printable ASCII characters without a colon.
    package static func isValidName(_ name: String) -> Bool {
        ListenSockets.isValidName(name) && !name.utf8.contains(UInt8(ascii: "/")) && name != "." && name != ".."
    }
}
