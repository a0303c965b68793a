package import BridgeCore
import NIOCore

extension JSONText {
    /// The same text without white space between its tokens: models and some clients are particular about it, and an
    /// event stream needs it on one line.
    package var compact: JSONText {
        guard let bytes = self.bytes.withUnsafeReadableBytes(Self.compacted) else { return self }
        return JSONText(trusting: bytes, mayHaveHalfPairs: self.mayHaveHalfPairs)
    }

    /// nil when there is nothing to take out.
    private static func compacted(_ input: UnsafeRawBufferPointer) -> ByteBuffer? {
        var output: ByteBuffer?
        var isString = false
        var begun = 0
        var index = 0
        while index < input.count {
            let byte = input[index]
            if isString {
                if byte == UInt8(ascii: "\\") {
                    index += 1
                } else if byte == UInt8(ascii: "\"") {
                    isString = false
                }
            } else if byte == UInt8(ascii: "\"") {
                isString = true
            } else if byte <= 0x20 {
                var buffer = output ?? ByteBufferAllocator().buffer(capacity: input.count)
                output = nil
                buffer.writeBytes(UnsafeRawBufferPointer(rebasing: input[begun..<index]))
                output = buffer
                begun = index + 1
            }
            index += 1
        }
        output?.writeBytes(UnsafeRawBufferPointer(rebasing: input[begun...]))
        return output
    }
}
