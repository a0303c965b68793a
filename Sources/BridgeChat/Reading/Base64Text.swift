import BridgeCore
import NIOCore

/// Base64 that is carried and not decoded.
enum Base64Text {
    /// The characters as they may stand between quotes, shared where they are as they should be: white space taken out,
    /// the alphabet of URLs turned into the usual one, padding completed.
    ///
    /// - Returns: nil for what is no base64, and for nothing.
    static func read(_ bytes: ByteBuffer) -> ByteBuffer? {
        if bytes.readableBytes % 4 == 0, let isPlain = Self.isPlain(bytes) { return isPlain ? bytes : nil }
        var cleaned = ByteBufferAllocator().buffer(capacity: bytes.readableBytes + 2)
        var padding = 0
        for byte in bytes.readableBytesView {
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D: continue
            case UInt8(ascii: "="):
                padding += 1
                continue
            case UInt8(ascii: "-"): cleaned.writeInteger(UInt8(ascii: "+"))
            case UInt8(ascii: "_"): cleaned.writeInteger(UInt8(ascii: "/"))
            case _ where Self.value(byte) != nil: cleaned.writeInteger(byte)
            default: return nil
            }
            if padding > 0 { return nil }
        }
        guard cleaned.readableBytes > 0, padding <= 2, cleaned.readableBytes % 4 != 1 else { return nil }
        cleaned.writeRepeatingByte(UInt8(ascii: "="), count: (4 - cleaned.readableBytes % 4) % 4)
        return cleaned
    }

    /// Whether all is of the alphabet, `=` only at the end, and there is something; nil when it has to be looked at closer.
    private static func isPlain(_ bytes: ByteBuffer) -> Bool? {
        bytes.withUnsafeReadableBytes { input in
            guard input.count >= 4 else { return input.isEmpty ? false : nil }
            let content = UnsafeRawBufferPointer(rebasing: input[..<Self.endOfPadding(input)])
            // Without a branch: an image has millions of bytes.
            let strangers = Self.strangers.withUnsafeBufferPointer { strangers in
                content.reduce(UInt8(0)) { $0 | strangers[Int($1)] }
            }
            return strangers == 0 ? true : nil
        }
    }

    /// For every byte whether it is of the alphabet (0) or not (1).
    private static let strangers: [UInt8] = (UInt8.min...UInt8.max).map { Self.value($0) == nil ? 1 : 0 }

    /// Where up to two `=` at the end begin.
    private static func endOfPadding(_ input: UnsafeRawBufferPointer) -> Int {
        var end = input.count
        while end > input.count - 2, input[end - 1] == UInt8(ascii: "=") { end -= 1 }
        return end
    }

    /// Decodes all of it.
    ///
    /// - Parameter bytes: as ``read(_:)`` returns them.
    static func decode(_ bytes: ByteBuffer) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.readableBytes / 4 * 3)
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes.readableBytesView {
            guard let value = Self.value(byte) else { break }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                output.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return output
    }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

/// What an image is by its first bytes.
enum ImageKind {
    /// - Parameter base64: as ``Base64Text/read(_:)`` returns it.
    static func mimeType(of base64: ByteBuffer) -> String? {
        guard let start = base64.getSlice(at: base64.readerIndex, length: min(16, base64.readableBytes)) else {
            return nil
        }
        let bytes = Base64Text.decode(start)
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return "image/png" }
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) { return "image/jpeg" }
        if bytes.starts(with: "GIF8".utf8) { return "image/gif" }
        if bytes.starts(with: "RIFF".utf8), bytes.dropFirst(8).starts(with: "WEBP".utf8) { return "image/webp" }
        return nil
    }
}
