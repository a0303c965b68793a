/// The fields of one journal record, in the form that the journal takes them: `NAME=value`, value any bytes.
///
/// One buffer for all of them, which keeps its memory from record to record.
package struct JournalEntry: Sendable {
    /// Fields beyond this are left out; the journal refuses records with more than 1,024.
    package static let maximumFields = 256

    private(set) var bytes: [UInt8] = []
    /// Where each field ends in ``bytes``.
    private(set) var ends: [Int] = []

    package init() {}

    package var isEmpty: Bool { self.ends.isEmpty }

    /// Names and values, in the order appended.
    package var fields: [(name: String, value: String)] {
        var start = 0
        return self.ends.map { end in
            let field = self.bytes[start..<end]
            start = end
            let equals = field.firstIndex(of: UInt8(ascii: "=")) ?? field.endIndex
            let value = field[equals...].dropFirst()
            return (String(decoding: field[..<equals], as: UTF8.self), String(decoding: value, as: UTF8.self))
        }
    }

    /// - Returns: whether the field was taken: not when ``isValidName(_:)`` says no, or the record is full.
    @discardableResult
    package mutating func append(_ name: String, _ value: some Sequence<UInt8>) -> Bool {
        guard Self.isValidName(name), self.ends.count < Self.maximumFields else { return false }
        self.bytes.append(contentsOf: name.utf8)
        self.bytes.append(UInt8(ascii: "="))
        self.bytes.append(contentsOf: value)
        self.ends.append(self.bytes.count)
        return true
    }

    @discardableResult
    package mutating func append(_ name: String, _ value: String) -> Bool {
        self.append(name, value.utf8)
    }

    package mutating func removeAll() {
        self.bytes.removeAll(keepingCapacity: self.bytes.capacity <= 65_536)
        self.ends.removeAll(keepingCapacity: true)
    }

    /// 1 to 64 of `A-Z`, `0-9` and `_`, a letter first: fields that start with `_` are those that journald itself adds.
    package static func isValidName(_ name: String) -> Bool {
        guard let first = name.utf8.first, Self.isLetter(first), name.utf8.count <= 64 else { return false }
        return name.utf8.allSatisfy {
            Self.isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "_")
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
}
