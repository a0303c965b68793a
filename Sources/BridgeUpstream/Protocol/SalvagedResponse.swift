import NIOCore

/// Finds which request a response belongs to that cannot be read as a whole: not JSON, too deep, or cut off.
///
/// Its caller then learns at once that there will be no answer. Nothing but the id is believed.
enum SalvagedResponse {
    private static let maximumMembers = 16

    /// - Returns: the id, when the bytes begin like an object with an integer `id` and then, or before it, a `result` or
    ///   an `error`, and no `method` has been seen.
    static func id(in bytes: ByteBuffer) -> Int? {
        var scanner = Scanner(bytes)
        guard scanner.take(UInt8(ascii: "{")) else { return nil }
        var id: Int?
        var isResponse = false
        for _ in 0..<Self.maximumMembers {
            guard let key = scanner.string(), scanner.take(UInt8(ascii: ":")) else { break }
            switch key {
            case "id": id = scanner.integer()
            case "method": return nil
            case "result", "error": isResponse = true
            default: break
            }
            if id != nil, isResponse { return id }
            guard scanner.skipValue(), scanner.take(UInt8(ascii: ",")) else { break }
        }
        return nil
    }

    private struct Scanner {
        private let bytes: ByteBufferView
        private var position: Int

        init(_ buffer: ByteBuffer) {
            self.bytes = buffer.readableBytesView
            self.position = self.bytes.startIndex
        }

        private var next: UInt8? { self.position < self.bytes.endIndex ? self.bytes[self.position] : nil }

        private mutating func skipSpace() {
            while let byte = self.next, byte == 0x20 || byte == 0x09 || byte == 0x0D { self.position += 1 }
        }

        mutating func take(_ byte: UInt8) -> Bool {
            self.skipSpace()
            guard self.next == byte else { return false }
            self.position += 1
            return true
        }

        /// The raw content of a string.
        mutating func string() -> String? {
            guard self.take(UInt8(ascii: "\"")) else { return nil }
            let start = self.position
            while let byte = self.next {
                self.position += 1
                if byte == UInt8(ascii: "\\") { self.position += 1 }
                if byte == UInt8(ascii: "\"") {
                    return String(decoding: self.bytes[start..<(self.position - 1)], as: UTF8.self)
                }
            }
            return nil
        }

        /// Looks at an integer that is all of a member's value, and stays before it.
        mutating func integer() -> Int? {
            self.skipSpace()
            let digits = self.bytes[self.position...].prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            var behind = self
            behind.position = digits.endIndex
            guard behind.take(UInt8(ascii: ",")) || behind.take(UInt8(ascii: "}")), digits.count <= 18 else {
                return nil
            }
            return Int(String(decoding: digits, as: UTF8.self))
        }

        /// Steps to the comma behind a value, or to the end of the object.
        mutating func skipValue() -> Bool {
            var depth = 0
            while let byte = self.next {
                switch byte {
                case UInt8(ascii: "\""):
                    guard self.string() != nil else { return false }
                    continue
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    if depth == 0 { return true }
                    depth -= 1
                case UInt8(ascii: ",") where depth == 0: return true
                default: break
                }
                self.position += 1
            }
            return false
        }
    }
}
