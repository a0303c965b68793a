/// Tells texts that are not UTF-8 by how they begin.
enum TextEncoding {
    /// `UTF-16` or `UTF-32`, with or without a byte order mark; `nil` for anything else.
    ///
    /// Without a mark the first character gives it away: it is ASCII here, and has a NUL beside it.
    static func foreign(in bytes: [UInt8]) -> String? {
        let head = Array(bytes.prefix(4))
        if head == [0xFF, 0xFE, 0, 0] || head == [0, 0, 0xFE, 0xFF] { return "UTF-32" }
        if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) { return "UTF-16" }
        guard head.count > 1 else { return nil }
        if [[false, true, true, true], [true, true, true, false]].contains(head.map { $0 == 0 }) { return "UTF-32" }
        return (head[0] == 0) != (head[1] == 0) ? "UTF-16" : nil
    }
}
