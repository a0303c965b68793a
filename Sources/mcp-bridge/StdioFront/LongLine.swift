import BridgeCore
import NIOCore

/// Reads along a line that is not kept, and finds the requests in it: a message, or a batch of them. Clients write the id
/// first or last. Nothing but ids is believed of it.
struct LongLine: Equatable {
    /// Of the requests that are whole.
    private(set) var requests: [RPCID] = []

    /// In bytes, of a key, of an id, and of all ids that are kept.
    private static let keyLength = 8
    private static let idLength = 4 << 10
    private static let idsLength = 4 << 20
    static let maximumRequests = 1 << 16

    /// How deep messages lie: 1, or 2 in a batch; 0 before the first bracket.
    private var base = 0
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    /// Whether a string is a key now, as far as messages' own members go.
    private var expectsKey = false
    private var key: [UInt8] = []
    private var id: [UInt8] = []
    private var ids = 0
    private var hasMethod = false
    /// How many bytes the ids have that were found.
    private var octets = 0

    mutating func read(_ bytes: ByteBuffer) {
        bytes.withUnsafeReadableBytes { for byte in $0 { self.read(byte) } }
    }

    private mutating func read(_ byte: UInt8) {
        if self.isInString {
            self.readString(byte)
            return
        }
        switch byte {
        case UInt8(ascii: "\""):
            self.isInString = true
            if self.expectsKey { self.key = [] } else { self.value(byte) }
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            if self.base == 0 { self.base = byte == UInt8(ascii: "{") ? 1 : 2 }
            self.depth += 1
            if self.depth == self.base, byte == UInt8(ascii: "{") { self.begin() }
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            if self.depth == self.base { self.end() }
            self.depth -= 1
        case UInt8(ascii: ","):
            if self.depth == self.base { self.expectsKey = true }
        case UInt8(ascii: ":"):
            guard self.depth == self.base, self.expectsKey else { return }
            self.expectsKey = false
            if self.key.elementsEqual("id".utf8) { self.ids += 1 }
        default: if !self.expectsKey { self.value(byte) }
        }
    }

    private mutating func readString(_ byte: UInt8) {
        let isEnd = byte == UInt8(ascii: "\"") && !self.isEscaped
        self.isEscaped = byte == UInt8(ascii: "\\") && !self.isEscaped
        self.isInString = !isEnd
        guard self.depth == self.base else { return }
        if !self.expectsKey {
            self.value(byte)
        } else if !isEnd, self.key.count < Self.keyLength {
            self.key.append(byte)
        }
    }

    /// A byte of a value that is no object and no array.
    private mutating func value(_ byte: UInt8) {
        guard self.depth == self.base else { return }
        if self.key.elementsEqual("id".utf8), self.id.count <= Self.idLength { self.id.append(byte) }
        if byte == UInt8(ascii: "\""), self.key.elementsEqual("method".utf8) { self.hasMethod = true }
    }

    private mutating func begin() {
        self.expectsKey = true
        self.key = []
        self.id = []
        self.ids = 0
        self.hasMethod = false
    }

    private mutating func end() {
        defer { self.begin() }
        guard self.hasMethod, self.ids == 1, self.id.count <= Self.idLength, self.requests.count < Self.maximumRequests,
            self.octets + self.id.count <= Self.idsLength,
            let text = try? JSONText(validating: ByteBuffer(bytes: self.id)), let id = RPCID(text)
        else { return }
        self.requests.append(id)
        self.octets += self.id.count
    }
}
