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
}
