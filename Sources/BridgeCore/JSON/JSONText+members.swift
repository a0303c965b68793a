import NIOCore

extension JSONText {
    /// This object without a member. What else stands in it stays as it was written.
    package func without(_ name: StaticString) -> JSONText { self.keeping { key, value in key == name ? nil : value } }

    /// This object with another value for a member that it has.
    package func replacing(_ name: StaticString, with replacement: JSONText) -> JSONText {
        self.keeping { key, value in key == name ? replacement : value }
    }

    /// This object with the values that `body` gives for its members, and without those that it gives none for.
    func keeping(_ body: (JSONKey, JSONText) -> JSONText?) -> JSONText {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(self.count)
        var separator: StaticString = "{"
        self.members { key, span in
            guard let value = body(key, self[span]) else { return }
            buffer.writeStaticString(separator)
            separator = ","
            key.text.write(to: &buffer)
            buffer.writeStaticString(":")
            value.write(to: &buffer)
        }
        if buffer.readableBytes == 0 { buffer.writeStaticString("{") }
        buffer.writeStaticString("}")
        return JSONText(trusting: buffer, mayHaveHalfPairs: self.mayHaveHalfPairs)
    }
}
