import Glibc

/// Why logging could not start, or a sink not write.
package struct LogError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// The logging thread could not be started.
        case thread
        /// The log file could not be opened, written or rotated.
        case file
    }

    package let code: Code
    package let message: String
    package let errorNumber: Int32

    package init(_ code: Code, _ message: String, errorNumber: Int32) {
        self.code = code
        self.message = message
        self.errorNumber = errorNumber
    }

    package var description: String {
        guard let text = strerror(self.errorNumber) else { return "\(self.message): error \(self.errorNumber)" }
        return "\(self.message): \(String(cString: text))"
    }
}
