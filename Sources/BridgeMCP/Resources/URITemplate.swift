import BridgeCore

/// A URI template (RFC 6570) as far as one has to know it to tell which URIs may be made from it.
///
/// Servers read templates each in their own way, and it is they who refuse what does not fit. So this takes a URI for the
/// template's rather once too often. Whatever the template and the URI are, the work is at most the product of the
/// template's ``weight`` and the URI's length.
package struct URITemplate: Sendable, Hashable {
    /// As the server wrote it.
    package let text: String
    private let parts: [Part]

    private enum Part: Hashable {
        case literal([UInt8])
        /// What one expression stands for.
        case expression(Run)
    }

    /// A run of characters.
    private struct Run: Hashable {
        /// Whether it may hold a slash, and what else separates the parts of a URI.
        let isFree: Bool
        let isOptional: Bool
    }

    /// Longer ones are not looked at: they match nothing.
    private static let maximumLength = 8_192
    private static let maximumParts = 256

    /// - Returns: `nil` for what is no template: a brace without its other, an empty expression, or more than anybody needs.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.maximumLength else { return nil }
        var parts: [Part] = []
        var rest = text.utf8[...]
        while let open = rest.firstIndex(where: { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }) {
            guard rest[open] == UInt8(ascii: "{"), parts.count < Self.maximumParts else { return nil }
            if open > rest.startIndex { parts.append(.literal(Array(rest[..<open]))) }
            let inside = rest[rest.index(after: open)...]
            guard let close = inside.firstIndex(of: UInt8(ascii: "}")),
                let run = Self.run(inside[..<close])
            else { return nil }
            parts.append(.expression(run))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { parts.append(.literal(Array(rest))) }
        self.text = text
        self.parts = parts
        self.weight = parts.dropFirst().reduce(1) { weight, part in
            if case .literal(let bytes) = part { weight + 1 + bytes.count } else { weight + 1 }
        }
    }

    /// What an expression stands for, by its operator (RFC 6570, section 2.2) and its modifier.
    private static func run(_ expression: Substring.UTF8View) -> Run? {
        guard let first = expression.first, !expression.contains(UInt8(ascii: "{")) else { return nil }
        switch first {
        case UInt8(ascii: "+"), UInt8(ascii: "#"), UInt8(ascii: "/"), UInt8(ascii: ";"), UInt8(ascii: "?"),
            UInt8(ascii: "&"):
            return expression.count > 1 ? Run(isFree: true, isOptional: true) : nil
        case UInt8(ascii: "."):
            return expression.count > 1 ? Run(isFree: false, isOptional: true) : nil
        default:
            // "{path*}" is what some servers write for the rest of a path.
            return Run(isFree: expression.last == UInt8(ascii: "*"), isOptional: false)
        }
    }

    /// What a match costs at most, for each byte of the URI.
    let weight: Int

    /// How much of the beginning is said literally, in bytes: of several templates that match, the longest means the most.
    package var literalPrefix: Int {
        if case .literal(let bytes)? = self.parts.first { bytes.count } else { 0 }
    }

    /// Whether a URI may have been made from the template.
    package func matches(_ uri: String) -> Bool {
        let bytes = Array(uri.utf8)
        guard bytes.count <= Self.maximumLength else { return false }
        if case .literal(let first)? = self.parts.first, !bytes.starts(with: first) { return false }
        // Where the parts so far may end.
        var ends = [Bool](repeating: false, count: bytes.count + 1)
        ends[0] = true
        for part in self.parts {
            switch part {
            case .literal(let literal): ends = Self.step(ends, over: literal, in: bytes)
            case .expression(let run): ends = Self.step(ends, over: run, in: bytes)
            }
            guard ends.contains(true) else { return false }
        }
        return ends[bytes.count]
    }

    private static func step(_ ends: [Bool], over literal: [UInt8], in bytes: [UInt8]) -> [Bool] {
        var next = [Bool](repeating: false, count: ends.count)
        guard literal.count <= bytes.count else { return next }
        for start in 0...(bytes.count - literal.count) where ends[start] {
            guard bytes[start..<start + literal.count].elementsEqual(literal) else { continue }
            next[start + literal.count] = true
        }
        return next
    }

    private static func step(_ ends: [Bool], over run: Run, in bytes: [UInt8]) -> [Bool] {
        var next = [Bool](repeating: false, count: ends.count)
        var isRunning = false
        for position in ends.indices {
            // What ran up to here may end here.
            if isRunning { next[position] = true }
            if ends[position] {
                isRunning = true
                if run.isOptional { next[position] = true }
            }
            if position < bytes.count, !run.isFree, Self.separates(bytes[position]) { isRunning = false }
        }
        return next
    }

    private static func separates(_ byte: UInt8) -> Bool { "/?#".utf8.contains(byte) }
}
