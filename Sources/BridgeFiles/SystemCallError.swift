import Glibc
import SystemPackage

/// A call to the system that failed.
package struct SystemCallError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call's name: `bind`, `open`.
    package let call: String
    /// What it was about: a path, an address. May be empty.
    package let subject: String
    /// An `errno`.
    package let code: CInt

    /// Takes `errno` as it is now.
    package init(_ call: String, _ subject: String = "", code: CInt = errno) {
        self.call = call
        self.subject = subject
        self.code = code
    }

    package var description: String {
        let place = self.subject.isEmpty ? self.call : "\(self.call) \(self.subject)"
        return "\(place): \(Self.text(of: self.code))"
    }

    /// What the C library says about an `errno`.
    package static func text(of code: CInt) -> String { Errno(rawValue: code).description }

    /// Makes a call of swift-system, and an error of this type out of its own.
    static func naming<Value>(
        _ call: String, _ subject: String, _ body: () throws -> Value
    ) throws(SystemCallError) -> Value {
        do {
            return try body()
        } catch {
            throw SystemCallError(call, subject, code: (error as? Errno)?.rawValue ?? EIO)
        }
    }
}
