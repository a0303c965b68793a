import BridgeMCP
import NIOCore

/// What is wrong with the entries of a list, for people. However much that is, what is told of it is short.
struct EntryFlaws {
    enum Kind: CaseIterable {
        /// Clients could not read it, and it has no meaning that could be given to it.
        case leftOut
        /// Shown as what it can only mean.
        case mended
        /// Its name has been there before.
        case repeated
        /// Its name is none that every client takes.
        case named
    }

    /// The most entries of a kind that are told by name.
    private static let maximumTold = 5

    private var counts: [Kind: Int] = [:]
    private var told: [Kind: [String]] = [:]

    mutating func add(_ kind: Kind, _ name: String, _ flaws: [String] = []) {
        self.counts[kind, default: 0] += 1
        guard self.told[kind, default: []].count < Self.maximumTold else { return }
        var words = name.isEmpty ? "one without a name" : "'\(Self.printable(name, 64))'"
        if !flaws.isEmpty { words += " (\(Self.printable(flaws.prefix(3).joined(separator: ", "), 160)))" }
        self.told[kind, default: []].append(words)
    }

    func notes(of offering: Offering) -> [String] {
        Kind.allCases.compactMap { kind in
            guard let count = self.counts[kind], var words = self.told[kind] else { return nil }
            if count > words.count { words.append("and \(count - words.count) more") }
            let what = count == 1 ? "1 \(offering.singular) is" : "\(count) \(offering) are"
            return "\(what) \(Self.words(for: kind)): \(words.joined(separator: ", "))"
        }
    }

    private static func words(for kind: Kind) -> String {
        switch kind {
        case .leftOut: "left out, since no client could read them"
        case .mended: "shown mended"
        case .repeated: "listed more than once, and shown once"
        case .named: "named as not every client takes it, and shown with a hash where names are safe"
        }
    }

    /// What MCP wants of names since 2025-11-25: no more than 128 letters of ASCII, digits, `_`, `-` and `.`.
    static func isTakenByAll(_ name: String) -> Bool {
        name.utf8.count <= 128
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    private static func printable(_ text: String, _ limit: Int) -> String {
        ForeignText.printable(ByteBuffer(string: text), limit: limit)
    }
}
