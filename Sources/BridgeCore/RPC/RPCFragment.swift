package import NIOCore

/// What can be told of a message that cannot be read as a whole: broken, too deep, or cut off.
///
/// Whoever waits for it, or for an answer to it, can then be told. Nothing but the id is believed.
package struct RPCFragment: Sendable, Hashable {
    package enum Kind: Sendable { case request, answer }

    package let kind: Kind
    /// A string or a number, as it was written.
    package let id: JSONText
    /// Whether `"jsonrpc": "2.0"` was seen.
    package let isVersioned: Bool
    /// All that there is of it.
    package let bytes: ByteBuffer

    private static let maximumMembers = 16

    /// Looks at bytes that begin with an object.
    ///
    /// - Returns: the fragment, when there is an id, and either a method or a result or an error; and how many bytes were
    ///   looked at.
    package static func read(_ bytes: ByteBuffer) -> (fragment: RPCFragment?, octets: Int) {
        bytes.withUnsafeReadableBytes { input in
            guard let json = JSONBytes(input) else { return (nil, 0) }
            var scan = Scan(json)
            scan.run()
            let fragment = scan.kind.flatMap { kind in
                scan.id.flatMap { Self.id(bytes.slice(of: $0)) }.map {
                    RPCFragment(kind: kind, id: $0, isVersioned: scan.isVersioned, bytes: bytes)
                }
            }
            return (fragment, scan.octets)
        }
    }

    private static func id(_ bytes: ByteBuffer) -> JSONText? {
        guard let text = try? JSONText(validating: bytes), text.kind == .string || text.kind == .number else {
            return nil
        }
        return text
    }

    private struct Scan {
        private let skipper: JSONSkipper
        private(set) var id: JSONSpan?
        private(set) var isVersioned = false
        private(set) var octets = 0
        private var hasMethod = false
        private var isAnswer = false
        private var members = 0

        init(_ bytes: JSONBytes) { self.skipper = JSONSkipper(bytes) }

        /// Nothing is made of what looks like both.
        var kind: Kind? {
            switch (self.hasMethod, self.isAnswer) {
            case (true, false): .request
            case (false, true): .answer
            default: nil
            }
        }

        mutating func run() {
            guard self.skipper.bytes[0] == UInt8(ascii: "{") else { return }
            _ = self.skipper.members(ofObjectAt: 0) { key, start in
                self.octets = start
                self.members += 1
                guard self.members <= RPCFragment.maximumMembers, self.hasColon(behind: key) else { return nil }
                return self.take(key, at: start)
            }
        }

        private func hasColon(behind key: JSONSkipper.Key) -> Bool {
            let colon = self.skipper.bytes.skipWhitespace(from: key.upper + 1)
            return colon < self.skipper.bytes.count && self.skipper.bytes[colon] == UInt8(ascii: ":")
        }

        /// Returns where the value at `start` ends, or `nil` when all is known that can be.
        private mutating func take(_ key: JSONSkipper.Key, at start: Int) -> Int? {
            let isNull = self.skipper.bytes[start] == UInt8(ascii: "n")
            switch RPCReader.Member(self.skipper, key) {
            case .method where !isNull: self.hasMethod = true
            case .result where !isNull, .error where !isNull: self.isAnswer = true
            default: break
            }
            // What follows may be very long, and is not needed.
            if self.isAnswer, self.id != nil { return nil }
            let value = self.skipper.value(at: start)
            self.octets = value.upperBound
            switch RPCReader.Member(self.skipper, key) {
            case .id: if self.id == nil, self.isWhole(value) { self.id = value }
            case .version: self.isVersioned = value.count == 5 && self.isTwoPointZero(value)
            default: break
            }
            return value.upperBound
        }

        /// Whether a value is seen to be over.
        private func isWhole(_ value: JSONSpan) -> Bool {
            let next = self.skipper.bytes.skipWhitespace(from: value.upperBound)
            guard next < self.skipper.bytes.count else { return false }
            return self.skipper.bytes[next] == UInt8(ascii: ",") || self.skipper.bytes[next] == UInt8(ascii: "}")
        }

        private func isTwoPointZero(_ value: JSONSpan) -> Bool {
            self.skipper.bytes.slice(value.lowerBound, value.upperBound).elementsEqual(#""2.0""#.utf8)
        }
    }
}
