import BridgeConfiguration
import BridgeCore
import NIOCore

/// Makes UTF-8 of bytes that are not, as a configuration wishes.
enum UTF8Repair {
    /// - Parameter limit: of bytes that may come of it.
    /// - Returns: `nil` when there is nothing to repair, or nothing may be repaired.
    static func repaired(_ bytes: ByteBuffer, _ errors: StdioLaunch.EncodingErrors, limit: Int = .max) -> ByteBuffer? {
        switch errors {
        case .strict: return nil
        case .ignore: return self.repaired(bytes, replacement: [], limit: limit)
        case .replace: return self.repaired(bytes, replacement: [0xEF, 0xBF, 0xBD], limit: limit)
        }
    }

    private static func repaired(_ bytes: ByteBuffer, replacement: [UInt8], limit: Int) -> ByteBuffer? {
        var result = ByteBufferAllocator().buffer(capacity: bytes.readableBytes)
        var isChanged = false
        var parser = Unicode.UTF8.ForwardParser()
        var source = bytes.readableBytesView.makeIterator()
        while result.readableBytes <= limit {
            switch parser.parseScalar(from: &source) {
            case .valid(let scalar):
                result.writeBytes(scalar)
            case .error:
                isChanged = true
                result.writeBytes(replacement)
            case .emptyInput:
                return isChanged ? result : nil
            }
        }
        return nil
    }
}
