/// What was not done as it was asked. Nothing is dropped without a word here.
package struct ChatRemarks: Sendable, Hashable {
    /// Members that had no effect, in the order they were met. `tools.web_search` is a kind of tool, `messages.name` a
    /// member of messages.
    package private(set) var ignored: [String] = []
    /// Members that have only about the effect they would have elsewhere.
    package private(set) var approximated: [String] = []
    /// How many names were left out of each list, beyond the first ``maximum``.
    package private(set) var unlisted = 0

    package static let maximum = 64

    package init() {}

    package mutating func ignore(_ name: String) { Self.add(name, to: &self.ignored, &self.unlisted) }
    package mutating func approximate(_ name: String) { Self.add(name, to: &self.approximated, &self.unlisted) }

    package mutating func add(_ other: ChatRemarks) {
        for name in other.ignored { self.ignore(name) }
        for name in other.approximated { self.approximate(name) }
        self.unlisted += other.unlisted
    }

    private static func add(_ name: String, to names: inout [String], _ unlisted: inout Int) {
        if names.contains(name) { return }
        if names.count < Self.maximum { names.append(name) } else { unlisted += 1 }
    }

    /// The value of `X-MCP-Bridge-Ignored`; nil when there is nothing to say.
    package var ignoredHeader: String? { Self.header(self.ignored) }
    /// The value of `X-MCP-Bridge-Approximated`; nil when there is nothing to say.
    package var approximatedHeader: String? { Self.header(self.approximated) }

    /// In bytes. Proxies give a whole head 4 to 8 KiB.
    private static let maximumHeader = 1_024

    private static func header(_ names: [String]) -> String? {
        guard !names.isEmpty else { return nil }
        var value = ""
        for name in names {
            let word = Self.word(name)
            guard value.utf8.count + word.utf8.count + 2 <= Self.maximumHeader else { return value + ", ..." }
            value += value.isEmpty ? word : ", " + word
        }
        return value
    }

    /// A name as a header may hold it. It is the client's, and may be anything.
    private static func word(_ name: String) -> String {
        let bytes = name.utf8.prefix(Self.maximumWord).map { byte in
            (0x21...0x7E).contains(byte) && byte != UInt8(ascii: ",") ? byte : UInt8(ascii: "_")
        }
        return bytes.isEmpty ? "_" : String(decoding: bytes, as: UTF8.self)
    }

    private static let maximumWord = 64
}
