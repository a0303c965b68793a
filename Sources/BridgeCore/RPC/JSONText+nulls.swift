import NIOCore

extension JSONText {
    /// A message without the members that count as absent because they are null; see ``RPCMessage``. Its other members are
    /// as they were.
    ///
    /// - Parameter resultIsEmpty: whether a `result` of null stands for an empty object.
    func withoutNulls(resultIsEmpty: Bool) -> JSONText {
        self.keeping { key, value in
            switch (key, value.kind) {
            case ("method", .null), ("params", .null), ("error", .null): nil
            case ("result", .null): resultIsEmpty ? .emptyObject : nil
            case ("params", .object): value.keeping { key, value in key == "_meta" && value.isNull ? nil : value }
            default: value
            }
        }
    }

    /// This object with the values that `body` gives for its members, and without those that it gives none for.
    private func keeping(_ body: (JSONKey, JSONText) -> JSONText?) -> JSONText {
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
