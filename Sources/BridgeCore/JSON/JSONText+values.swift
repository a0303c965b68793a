import NIOCore

extension JSONText {
    /// What a string stands for; `nil` when this is not a string. A surrogate without its partner becomes U+FFFD.
    package var string: String? {
        guard self.kind == .string else { return nil }
        return self.withSkipper { $0.content(ofStringAt: 0) }
    }

    /// A number spelled as a plain integer (`-12`; not `12.0` or `1e3`) within the range of `Int`, exactly.
    package var int: Int? {
        guard self.kind == .number else { return nil }
        return self.bytes.withUnsafeReadableBytes { JSONInteger.read($0) }
    }

    /// The nearest `Double` to a number; `nil` when it is beyond the finite ones.
    package var double: Double? {
        guard self.kind == .number, let value = Double(String(buffer: self.bytes)), value.isFinite else { return nil }
        return value
    }

    package var bool: Bool? {
        switch self.kind {
        case .true: true
        case .false: false
        default: nil
        }
    }

    package var isNull: Bool { self.kind == .null }

    package func string(_ key: StaticString) -> String? { self.value(key)?.string }
    package func int(_ key: StaticString) -> Int? { self.value(key)?.int }
    package func double(_ key: StaticString) -> Double? { self.value(key)?.double }
    package func bool(_ key: StaticString) -> Bool? { self.value(key)?.bool }
}

extension JSONSkipper {
    /// What the string at `start` stands for.
    @inline(__always)
    func content(ofStringAt start: Int) -> String {
        let (end, hasEscapes) = self.string(at: start)
        let content = self.bytes.slice(start + 1, max(end - 1, start + 1))
        return hasEscapes ? JSONEscape.decode(content) : String(decoding: content, as: UTF8.self)
    }
}

enum JSONInteger {
    /// An integer spelled in digits alone, after a minus perhaps, within the range of `Int`.
    static func read(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let isNegative = bytes.first == UInt8(ascii: "-")
        let digits = isNegative ? bytes.dropFirst() : bytes[...]
        guard !digits.isEmpty else { return nil }
        var value = 0
        for byte in digits {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let product = value.multipliedReportingOverflow(by: 10)
            let sum =
                isNegative
                ? product.partialValue.subtractingReportingOverflow(Int(digit))
                : product.partialValue.addingReportingOverflow(Int(digit))
            guard !product.overflow, !sum.overflow else { return nil }
            value = sum.partialValue
        }
        return value
    }
}
