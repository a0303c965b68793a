/// Finds the first stop sequence in a text that comes in pieces, and holds back what could be the beginning of one.
///
/// First is the one that is complete first, as it would stop a model; of those that end at one place, the longest.
package struct StopScanner: Sendable {
    private var sequences: [Sequence]
    private var held: [UInt8] = []
    /// The sequence that has ended the text. Nothing comes out after it.
    package private(set) var match: String?

    /// - Parameter sequences: an empty one is left out.
    package init(_ sequences: [String]) {
        self.sequences = sequences.filter { !$0.isEmpty }.map { Sequence(Array($0.utf8)) }
    }

    /// Takes a piece.
    ///
    /// - Returns: what may be sent on: whole characters, up to the first match.
    package mutating func push(_ piece: String) -> String {
        guard self.match == nil else { return "" }
        guard !self.sequences.isEmpty else { return piece }
        for byte in piece.utf8 {
            self.held.append(byte)
            var longest: [UInt8]?
            for index in self.sequences.indices where self.sequences[index].take(byte) {
                if self.sequences[index].bytes.count > longest?.count ?? 0 { longest = self.sequences[index].bytes }
            }
            guard let longest else { continue }
            self.match = String(decoding: longest, as: UTF8.self)
            return self.release(self.held.count - longest.count)
        }
        // Sequences are UTF-8: what may be the beginning of one begins with a character.
        return self.release(self.held.count - (self.sequences.map(\.matched).max() ?? 0))
    }

    /// Says that nothing follows.
    ///
    /// - Returns: what was held back.
    package mutating func finish() -> String { self.match == nil ? self.release(self.held.count) : "" }

    private mutating func release(_ count: Int) -> String {
        let text = String(decoding: self.held[..<count], as: UTF8.self)
        if self.match == nil { self.held.removeFirst(count) } else { self.held = [] }
        return text
    }
}

extension StopScanner {
    /// One sequence, and how much of it the text ends with (the algorithm of Knuth, Morris and Pratt: each byte is looked at
    /// once, whatever the text).
    private struct Sequence: Sendable {
        let bytes: [UInt8]
        private(set) var matched = 0
        /// Of each beginning of the sequence, how long the longest shorter beginning is that it ends with.
        private var shorter: [Int]

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
            self.shorter = [0]
            var length = 0
            for byte in bytes.dropFirst() {
                while length > 0, bytes[length] != byte { length = self.shorter[length - 1] }
                if bytes[length] == byte { length += 1 }
                self.shorter.append(length)
            }
        }

        /// - Returns: whether the sequence is complete.
        mutating func take(_ byte: UInt8) -> Bool {
            while self.matched > 0, self.bytes[self.matched] != byte { self.matched = self.shorter[self.matched - 1] }
            if self.bytes[self.matched] == byte { self.matched += 1 }
            return self.matched == self.bytes.count
        }
    }
}
