import CSystemd  // with <sys/socket.h>, whose declarations the compiler may find here and not in Glibc
import Glibc

/// The ancillary data of one datagram: `cmsg` headers, each followed by its content, on 8-byte boundaries (cmsg(3)).
///
/// The C macros that walk them do not reach Swift.
struct ControlMessages {
    /// Who sent the datagram, as the kernel saw it.
    struct Credentials: Hashable {
        let pid: pid_t
        let uid: uid_t
        let gid: gid_t
    }

    /// `SCM_CREDENTIALS` of `<sys/socket.h>`, which glibc shows to `_GNU_SOURCE` alone. The content is pid, uid, gid.
    static let credentialsType: Int32 = 2
    /// The kernel passes no more descriptors than this in one message (`SCM_MAX_FD`).
    static let maximumDescriptors = 253
    /// Room for the credentials and as many descriptors as can come.
    static let capacity =
        Self.space(for: 3 * MemoryLayout<Int32>.size)
        + Self.space(for: Self.maximumDescriptors * MemoryLayout<Int32>.size)

    private(set) var credentials: Credentials?
    /// Descriptors that came along. They are open, and the reader's to close.
    private(set) var descriptors: [Int32] = []

    /// Reads what `recvmsg` left in its control buffer; stops at the first header that does not fit.
    init(parsing buffer: UnsafeRawBufferPointer) {
        var rest = buffer[...]
        while rest.count >= Self.headerSize {
            let header = UnsafeRawBufferPointer(rebasing: rest)
            let length = Int(clamping: header.loadUnaligned(as: UInt.self))
            guard length >= Self.headerSize, length <= rest.count else { return }
            let level = header.loadUnaligned(fromByteOffset: 8, as: Int32.self)
            let type = header.loadUnaligned(fromByteOffset: 12, as: Int32.self)
            self.read(UnsafeRawBufferPointer(rebasing: header[Self.headerSize..<length]), level: level, type: type)
            rest = rest.dropFirst(Self.align(length))
        }
    }

    /// The control buffer that passes `descriptors` along with a message.
    static func passing(_ descriptors: [Int32]) -> [UInt8] {
        guard !descriptors.isEmpty else { return [] }
        let content = descriptors.count * MemoryLayout<Int32>.size
        var buffer = [UInt8](repeating: 0, count: Self.space(for: content))
        buffer.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: UInt(Self.headerSize + content), as: UInt.self)
            bytes.storeBytes(of: SOL_SOCKET, toByteOffset: 8, as: Int32.self)
            bytes.storeBytes(of: Int32(SCM_RIGHTS), toByteOffset: 12, as: Int32.self)
            descriptors.withUnsafeBytes { bytes[Self.headerSize...].copyBytes(from: $0) }
        }
        return buffer
    }

    private mutating func read(_ content: UnsafeRawBufferPointer, level: Int32, type: Int32) {
        guard level == SOL_SOCKET else { return }
        let size = MemoryLayout<Int32>.size
        if type == Self.credentialsType, content.count >= 3 * size {
            self.credentials = Credentials(
                pid: content.loadUnaligned(as: pid_t.self),
                uid: content.loadUnaligned(fromByteOffset: size, as: uid_t.self),
                gid: content.loadUnaligned(fromByteOffset: 2 * size, as: gid_t.self)
            )
        } else if type == Int32(SCM_RIGHTS) {
            for index in 0..<(content.count / size) {
                self.descriptors.append(content.loadUnaligned(fromByteOffset: index * size, as: Int32.self))
            }
        }
    }

    private static let headerSize = MemoryLayout<UInt>.size + 2 * MemoryLayout<Int32>.size

    private static func align(_ length: Int) -> Int { (length + 7) & ~7 }

    private static func space(for content: Int) -> Int { Self.headerSize + Self.align(content) }
}
