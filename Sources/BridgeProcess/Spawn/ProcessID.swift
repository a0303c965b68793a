package import Glibc

/// One child of this process. Never equal to another, also when the system gives its number to a later one.
package struct ProcessID: Hashable, Sendable, CustomStringConvertible {
    /// The number the system knows it by. After the exit it may belong to somebody else: send signals through
    /// ``ProcessThread/signal(_:_:)``.
    package let pid: pid_t
    let serial: UInt64

    package var description: String { "\(self.pid)" }
}
