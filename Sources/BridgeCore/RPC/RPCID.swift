package import NIOCore

/// The id of a request, or a progress token: a JSON string or integer.
///
/// Equal when the JSON values are: `1` and `"1"` differ, `"a"` and `"\u0061"` do not. It is kept for as long as a call
/// takes, and does not keep large arguments with it.
package struct RPCID: Hashable, Sendable, CustomStringConvertible {
    /// As its sender wrote it; what goes back into a reply.
    package let bytes: ByteBuffer
    /// The one spelling among equals.
    private let canonical: ByteBuffer
    private static let zero = ByteBuffer(string: "0")

    /// `nil` unless `text` is a string or a number spelled as a plain integer, of any size.
    package init?(_ text: JSONText) {
        let text = JSONText(trusting: text.bytes.toKeep)
        guard let canonical = Self.canonical(text) else { return nil }
        self.bytes = text.bytes
        self.canonical = canonical
    }

    package init(_ integer: Int) {
        self.bytes = JSONText(integer).bytes
        self.canonical = self.bytes
    }

    package var text: JSONText { JSONText(trusting: self.bytes) }
    package var description: String { String(buffer: self.bytes) }

    package static func == (left: RPCID, right: RPCID) -> Bool { left.canonical == right.canonical }
    package func hash(into hasher: inout Hasher) { hasher.combine(self.canonical) }

    private static func canonical(_ text: JSONText) -> ByteBuffer? {
        switch text.kind {
        case .string:
            guard text.withSkipper({ $0.string(at: 0).hasEscapes }), let string = text.string else { return text.bytes }
            return JSONText(string).bytes
        case .number where text.bytes.withUnsafeReadableBytes(Self.isInteger):
            return text.int == 0 ? Self.zero : text.bytes  // `-0` too
        default:
            return nil
        }
    }

    /// Whether a valid number is spelled as a plain integer.
    static func isInteger(_ number: UnsafeRawBufferPointer) -> Bool {
        number.allSatisfy { $0 == UInt8(ascii: "-") || $0 &- UInt8(ascii: "0") < 10 }
    }
}

extension ByteBuffer {
    /// The same bytes for somebody who keeps them long: a copy where they are a small part of something large, which would
    /// be kept with them. Up to 32 KiB that costs less than a copy of each.
    package var toKeep: ByteBuffer {
        self.storageCapacity > 32 << 10 ? ByteBuffer(bytes: self.readableBytesView) : self
    }
}
