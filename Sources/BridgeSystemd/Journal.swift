import CSystemd
import FoundationEssentials
import Glibc

/// The journal of the machine.
package enum Journal {
    /// Hands one record to journald. **Blocks** while journald does not read: for a logging thread alone.
    ///
    /// A machine without journald is not an error.
    package static func send(_ entry: borrowing JournalEntry) throws(SystemdError) {
        guard !entry.isEmpty else { return }
        let ends = entry.ends
        let result = entry.bytes.withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(of: iovec.self, capacity: ends.count) { parts in
                var start = 0
                for (index, end) in ends.enumerated() {
                    let field = UnsafeMutableRawPointer(mutating: bytes.baseAddress?.advanced(by: start))
                    parts.initializeElement(at: index, to: iovec(iov_base: field, iov_len: end - start))
                    start = end
                }
                return sd_journal_sendv(parts.baseAddress, Int32(ends.count))
            }
        }
        guard result >= 0 else { throw SystemdError(.journal, "The journal refused a record", errorNumber: -result) }
    }

    /// Whether standard error goes to the journal, so that speaking to it directly says the same with more detail.
    package static func isStderrConnected(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> Bool {
        var status = stat()
        guard let stream = environment["JOURNAL_STREAM"], fstat(STDERR_FILENO, &status) == 0 else { return false }
        return Self.names(stream, device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// Whether `JOURNAL_STREAM` (`device:inode`, decimal) names this file.
    package static func names(_ stream: String, device: UInt64, inode: UInt64) -> Bool {
        let parts = stream.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 && UInt64(parts[0]) == device && UInt64(parts[1]) == inode
    }
}
