import NIOCore

/// Tells whether a read ended where a request did, or brought the beginning of another.
///
/// The HTTP decoder takes in all that arrives, and says nothing of a head that it has only a part of. What the wire shows
/// is enough: a request ends with its body, or with an empty line when it has none or is chunked.
enum RequestEnd {
    /// The last bytes of a body, at most eight.
    struct Tail: Equatable {
        private var count = 0
        private var bits: UInt64 = 0

        init(_ bytes: ByteBuffer, longest: Int = 8) {
            for byte in bytes.readableBytesView.suffix(longest) {
                self.count += 1
                self.bits = self.bits << 8 | UInt64(byte)
            }
        }

        /// Whether these are the last bytes of all that was read.
        func ends(_ read: ByteBuffer) -> Bool { self.count > 0 && Tail(read, longest: self.count) == self }
    }

    /// Whether more follows in the read in which a request ended.
    ///
    /// - Parameter body: of that request, as far as it came in this read.
    static func isFollowed(in read: ByteBuffer, body: Tail?) -> Bool {
        if let body, body.ends(read) { return false }
        return !Self.endsInEmptyLine(read)
    }

    /// The line end before the empty line may have come earlier.
    private static func endsInEmptyLine(_ read: ByteBuffer) -> Bool {
        var bytes = read.readableBytesView.suffix(4)
        guard bytes.popLast() == UInt8(ascii: "\n") else { return false }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        return bytes.isEmpty || bytes.last == UInt8(ascii: "\n")
    }
}
