import NIOCore

/// The key of a member, decoded only when asked for.
package struct JSONKey: Sendable, CustomStringConvertible {
    /// The key as it is written, quotes included.
    package let text: JSONText
    private let hasEscapes: Bool

    init(text: JSONText, hasEscapes: Bool) {
        self.text = text
        self.hasEscapes = hasEscapes
    }

    package var string: String { self.text.string ?? "" }
    package var description: String { self.string }

    /// Compares bytes, after unescaping where the key is written with escapes.
    package static func == (key: JSONKey, name: StaticString) -> Bool {
        name.withUTF8Buffer { name in
            if key.hasEscapes { return key.string.utf8.elementsEqual(name) }
            return key.text.bytes.withUnsafeReadableBytes { $0.dropFirst().dropLast().elementsEqual(name) }
        }
    }

    package static func ~= (name: StaticString, key: JSONKey) -> Bool { key == name }
}

extension JSONText {
    /// The value of the first member called `key`; `nil` when there is none or this is not an object.
    package func member(_ key: StaticString) -> JSONSpan? {
        self.member(key, in: self.span)
    }

    /// As ``member(_:)``, looking into the object at `span`. What it returns counts from the start of this text.
    package func member(_ key: StaticString, in span: JSONSpan) -> JSONSpan? {
        key.withUTF8Buffer { self.firstMember($0, in: span) }
    }

    /// As ``member(_:)``, for a name known only at run time.
    package func member(named key: String, in span: JSONSpan? = nil) -> JSONSpan? {
        var key = key
        return key.withUTF8 { self.firstMember($0, in: span ?? self.span) }
    }

    private func firstMember(_ key: UnsafeBufferPointer<UInt8>, in span: JSONSpan) -> JSONSpan? {
        guard span.kind == .object else { return nil }
        return self.withSkipper { skipper in
            var found: JSONSpan?
            _ = skipper.members(ofObjectAt: span.lowerBound) { candidate, start in
                let value = skipper.value(at: start)
                guard skipper.key(candidate, is: key) else { return value.upperBound }
                found = value
                return nil
            }
            return found
        }
    }

    /// Every member of this object in its order, duplicates too; nothing when it is not an object.
    package func members(_ body: (JSONKey, JSONSpan) throws -> Void) rethrows {
        try self.members(in: self.span, body)
    }

    /// As ``members(_:)``, for the object at `span`. The spans count from the start of this text.
    package func members(in span: JSONSpan, _ body: (JSONKey, JSONSpan) throws -> Void) rethrows {
        guard span.kind == .object else { return }
        try self.withSkipper { skipper in
            _ = try skipper.members(ofObjectAt: span.lowerBound) { key, start in
                let value = skipper.value(at: start)
                let text = self[JSONSpan(lowerBound: key.lower - 1, upperBound: key.upper + 1, kind: .string)]
                try body(JSONKey(text: text, hasEscapes: key.hasEscapes), value)
                return value.upperBound
            }
        }
    }

    /// Every element of this array in its order; nothing when it is not an array.
    package func elements(_ body: (JSONSpan) throws -> Void) rethrows {
        try self.elements(in: self.span, body)
    }

    /// As ``elements(_:)``, for the array at `span`. The spans count from the start of this text.
    package func elements(in span: JSONSpan, _ body: (JSONSpan) throws -> Void) rethrows {
        guard span.kind == .array else { return }
        try self.withSkipper { skipper in
            try skipper.elements(ofArrayAt: span.lowerBound, body)
        }
    }

    /// The value of the first member called `key`.
    package func value(_ key: StaticString) -> JSONText? {
        self.member(key).map { self[$0] }
    }

    @inline(__always)
    func withSkipper<Value>(_ body: (JSONSkipper) throws -> Value) rethrows -> Value {
        try self.bytes.withUnsafeReadableBytes { input in
            guard let bytes = JSONBytes(input) else { preconditionFailure("a JSON text is never empty") }
            return try body(JSONSkipper(bytes))
        }
    }
}
