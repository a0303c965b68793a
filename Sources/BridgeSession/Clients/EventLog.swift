import BridgeCore
import DequeModule
import NIOCore

/// The events of one stream that are kept for a client which comes back: the newest of them, the last one always.
///
/// Pure. Ids are `<stream>-<sequence>`, the stream's number in base 36.
struct EventLog {
    static let maximumEvents = 256
    static let maximumOctets = 1 << 20

    let number: UInt64
    /// Bytes that the kept events hold.
    private(set) var octets = 0
    private var sequence = 0
    /// The number of the newest event that is not kept any more.
    private var dropped = 0
    private var kept: Deque<(sequence: Int, message: ByteBuffer)> = []

    init(number: UInt64) { self.number = number }

    /// The id of an event without content.
    mutating func nextID() -> String {
        self.sequence += 1
        return self.id(of: self.sequence)
    }

    /// Keeps an event; returns its id.
    mutating func keep(_ message: ByteBuffer) -> String {
        let id = self.nextID()
        // A small slice would keep the whole read that it came with.
        let message = message.withoutSurplus
        self.kept.append((self.sequence, message))
        self.octets += message.readableBytes
        while self.kept.count > 1, self.kept.count > Self.maximumEvents || self.octets > Self.maximumOctets {
            let oldest = self.kept.removeFirst()
            self.dropped = oldest.sequence
            self.octets -= oldest.message.readableBytes
        }
        return id
    }

    /// What came after an event; nil when some of it is no longer kept.
    func events(after sequence: Int) -> [(id: String, message: ByteBuffer)]? {
        guard sequence >= self.dropped else { return nil }
        return self.kept.lazy.filter { $0.sequence > sequence }.map { (self.id(of: $0.sequence), $0.message) }
    }

    /// Gives up what is kept.
    mutating func forget() {
        guard let newest = self.kept.last else { return }
        self.dropped = newest.sequence
        self.kept = []
        self.octets = 0
    }

    func id(of sequence: Int) -> String { "\(String(self.number, radix: 36))-\(sequence)" }

    /// Takes an event id apart.
    static func parse(_ id: String) -> (stream: UInt64, sequence: Int)? {
        let parts = id.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let stream = UInt64(parts[0], radix: 36), let sequence = Int(parts[1]), sequence >= 0
        else { return nil }
        return (stream, sequence)
    }
}

extension ByteBuffer {
    /// The same bytes for somebody who keeps them: a copy where they are a small part of what they came in.
    var withoutSurplus: ByteBuffer {
        self.storageCapacity / 4 > self.readableBytes ? ByteBuffer(bytes: self.readableBytesView) : self
    }
}
