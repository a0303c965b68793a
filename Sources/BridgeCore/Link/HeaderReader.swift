import NIOCore

/// Reads the members of a header, in the order in which they were written.
///
/// It trusts nobody: whatever the bytes are, it reads none behind them, and what it does not understand counts as absent.
package struct HeaderReader {
    private let bytes: ByteBuffer
    /// Where the next member is expected, in bytes from the first one.
    private var at = 1

    package init(_ header: JSONText) { self.bytes = header.bytes }

    package mutating func string(_ key: StaticString) -> String? {
        self.take(key) { skipper, value in
            guard value.kind == .string else { return nil }
            return skipper.content(ofStringAt: value.lowerBound)
        }
    }

    /// A number spelled as a plain integer within the range of `Int`.
    package mutating func int(_ key: StaticString) -> Int? {
        self.take(key) { skipper, value in
            guard value.kind == .number else { return nil }
            return JSONInteger.read(skipper.bytes.slice(value.lowerBound, value.upperBound))
        }
    }

    package mutating func flag(_ key: StaticString) -> Bool {
        self.take(key) { _, value in value.kind == .true ? true : nil } ?? false
    }

    /// Any value, as it was written.
    package mutating func json(_ key: StaticString) -> JSONText? {
        guard let value = self.take(key, { _, value in value }) else { return nil }
        guard let slice = self.bytes.getSlice(at: self.bytes.readerIndex + value.lowerBound, length: value.count)
        else { return nil }
        return JSONText(trusting: slice)
    }

    /// Passes over the next member, if it has this key, and says what `body` makes of its value.
    @inline(__always)
    private mutating func take<Value>(
        _ key: StaticString, _ body: (JSONSkipper, JSONSpan) -> Value?
    ) -> Value? {
        let found = self.bytes.withUnsafeReadableBytes { input -> (end: Int, value: Value?)? in
            guard let bytes = JSONBytes(input), let start = Self.value(of: key, in: bytes, from: self.at) else {
                return nil
            }
            let skipper = JSONSkipper(bytes)
            let value = skipper.value(at: start)
            return (value.upperBound, body(skipper, value))
        }
        guard let found else { return nil }
        self.at = found.end
        return found.value
    }

    /// Where the value of a key begins, if that key is the next; there is at least one byte then.
    @inline(__always)
    private static func value(of key: StaticString, in bytes: JSONBytes, from start: Int) -> Int? {
        let count = key.utf8CodeUnitCount
        var at = start
        if at < bytes.count, bytes[at] == UInt8(ascii: ",") { at += 1 }
        guard at + count + 3 < bytes.count, bytes[at] == UInt8(ascii: "\""),
            bytes[at + count + 1] == UInt8(ascii: "\""), bytes[at + count + 2] == UInt8(ascii: ":"),
            bytes.equal(at + 1, at + 1 + count, UnsafeBufferPointer(start: key.utf8Start, count: count))
        else { return nil }
        return at + count + 3
    }
}
