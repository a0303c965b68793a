import Glibc
import SystemPackage

/// Reading and writing open descriptors to the end. They stay the caller's.
package enum DescriptorIO {
    /// Writes all of the bytes. Waits where a non-blocking descriptor is full: a terminal or a pipe that is shared may be one.
    ///
    /// - Throws: what the system says; some of the bytes may have been written then.
    package static func write(
        _ bytes: some Sequence<UInt8>, to descriptor: Int32, subject: String = ""
    ) throws(SystemCallError) {
        var code: Int32 = 0
        let done: Void? = bytes.withContiguousStorageIfAvailable {
            code = Self.write(UnsafeRawBufferPointer($0), to: FileDescriptor(rawValue: descriptor))
        }
        if done == nil {
            code = Array(bytes).withUnsafeBytes { Self.write($0, to: FileDescriptor(rawValue: descriptor)) }
        }
        guard code == 0 else { throw SystemCallError("write", subject, code: code) }
    }

    /// Reads until the end.
    ///
    /// - Parameters:
    ///   - limit: in bytes; more is `EFBIG`.
    ///   - deadline: when to give up waiting, with `ETIMEDOUT`; without one it takes as long as it takes.
    package static func readToEnd(
        _ descriptor: Int32, limit: Int, until deadline: SuspendingClock.Instant? = nil, subject: String = ""
    ) throws(SystemCallError) -> [UInt8] {
        let file = FileDescriptor(rawValue: descriptor)
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            if let deadline, !Self.wait(for: descriptor, POLLIN, until: deadline) {
                throw SystemCallError("read", subject, code: ETIMEDOUT)
            }
            let count = try SystemCallError.naming("read", subject) {
                try room.withUnsafeMutableBytes { try file.read(into: $0) }
            }
            guard count > 0 else { return bytes }
            bytes += room[..<count]
            guard bytes.count <= limit else { throw SystemCallError("read", subject, code: EFBIG) }
            // What is long is read in long pieces.
            if bytes.count == room.count { room = [UInt8](repeating: 0, count: 256 << 10) }
        }
    }

    /// For poll(2): the time until then in milliseconds, rounded up, since waking early only means to wait once more.
    package static func milliseconds(
        until deadline: SuspendingClock.Instant, from now: SuspendingClock.Instant = .now
    ) -> Int32 {
        let (seconds, attoseconds) = max(now.duration(to: deadline), .zero).components
        guard seconds < 3_600 else { return 3_600_000 }
        return Int32(seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }

    /// - Returns: an `errno`, or 0.
    private static func write(_ bytes: UnsafeRawBufferPointer, to file: FileDescriptor) -> Int32 {
        var rest = bytes[...]
        while !rest.isEmpty {
            do {
                rest = rest.dropFirst(try file.write(UnsafeRawBufferPointer(rebasing: rest)))
            } catch {
                guard let error = error as? Errno else { return EIO }
                guard error == .wouldBlock else { return error.rawValue }
                Self.wait(for: file.rawValue, POLLOUT, until: nil)
            }
        }
        return 0
    }

    /// - Returns: whether it is ready, and not only the time over.
    @discardableResult
    private static func wait(for descriptor: Int32, _ events: Int32, until deadline: SuspendingClock.Instant?) -> Bool {
        var waiting = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        while true {
            let timeout = deadline.map { Self.milliseconds(until: $0) } ?? -1
            if timeout == 0 { return false }
            let count = poll(&waiting, 1, timeout)
            if count > 0 { return true }
            if count < 0, errno != EINTR { return false }
        }
    }
}
