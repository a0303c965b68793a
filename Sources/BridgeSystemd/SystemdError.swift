import Glibc

/// Something that the service manager's protocols, or the system calls below them, did not let us do.
package struct SystemdError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// The listening sockets in the environment cannot be taken over.
        case handover
        /// A socket address is not an absolute path, not an abstract name, or too long.
        case address
        /// A notification could not be sent, or its socket not be made.
        case notification
        /// A descriptor or credential has a name that the service manager would not accept.
        case name
        /// A credential exists and cannot be read.
        case credential
        /// The journal did not take a record.
        case journal
    }

    package let code: Code
    package let message: String
    /// The `errno` value behind it; `nil` when no system call failed.
    package let errorNumber: Int32?

    package init(_ code: Code, _ message: String, errorNumber: Int32? = nil) {
        self.code = code
        self.message = message
        self.errorNumber = errorNumber
    }

    package var description: String {
        guard let errorNumber = self.errorNumber else { return self.message }
        guard let text = strerror(errorNumber) else { return "\(self.message): error \(errorNumber)" }
        return "\(self.message): \(String(cString: text))"
    }
}
