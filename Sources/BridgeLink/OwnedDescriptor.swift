import Glibc
import NIOCore

/// A descriptor on its way to a channel.
///
/// Where making a channel fails, NIO has closed the descriptor or has not, depending on how far it came. So the channel is
/// given a copy, and the original is closed here: whoever hands a descriptor over never closes it.
enum OwnedDescriptor {
    /// Closes `descriptor` and returns a copy for a channel.
    ///
    /// - Throws: when there is no copy. The original is closed then, too.
    static func take(_ descriptor: Int32) throws(IOError) -> Int32 {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        let code = errno
        close(descriptor)
        guard copy >= 0 else { throw IOError(errnoCode: code, reason: "dup") }
        return copy
    }
}
