import BridgeConfiguration
import BridgeCore
import NIOCore

/// Makes UTF-8 of bytes that are not, as a configuration wishes.
enum UTF8Repair {
    /// - Returns: `nil` when there is nothing to repair, or nothing may be repaired.
    static func repaired(_ bytes: ByteBuffer, _ errors: StdioLaunch.EncodingErrors) -> ByteBuffer? {
        switch errors {
        case .strict: return nil
        case .ignore: return self.repaired(bytes, replacement: [])
        case .replace: return self.repaired(bytes, replacement: [0xEF, 0xBF, 0xBD])
        }
    }

    private static func repaired(_ bytes: ByteBuffer, replacement: [UInt8]) -> ByteBuffer? {
        var result = ByteBufferAllocator().buffer(capacity: bytes.readableBytes)
        var isChanged = false
        var parser = Unicode.UTF8.ForwardParser()
        var source = bytes.readableBytesView.makeIterator()
        while true {
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
    }
}
