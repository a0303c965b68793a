import NIOCore

/// Counts what all streams keep for clients that come back, and what slow ones were not told. Confined to the event loop.
final class Retention {
    /// In bytes.
    static let maximum = 64 << 20

    private(set) var octets = 0
    /// Those of them that open questions hold. They are never given up, so no more than ``maximum`` are asked.
    private(set) var questionOctets = 0
    /// What clients have answered and servers have not fetched yet. It is not given up either, so no more is kept.
    private(set) var answerOctets = 0
    /// Notifications that were dropped because their client reads too slowly.
    private(set) var droppedNotes = 0
    /// Told, in a later turn of the loop, when more than ``maximum`` is kept.
    var onExcess: (() -> Void)?
    private let loop: any EventLoop
    private var isTold = false
    private var lastNumber = UInt64.random(in: 1 << 40...1 << 52)

    init(loop: any EventLoop) { self.loop = loop }

    /// A number for a stream, by which its client can ask for it. No other life of the worker gives the same.
    func nextNumber() -> UInt64 {
        self.lastNumber += 1
        return self.lastNumber
    }

    func dropped() { self.droppedNotes += 1 }

    /// - Returns: whether there is room for an answer of this size.
    func keep(answer octets: Int) -> Bool {
        guard self.answerOctets + octets <= Self.maximum else { return false }
        self.answerOctets += octets
        return true
    }

    func forget(answers octets: Int) { self.answerOctets -= octets }

    func changed(by octets: Int, questions: Int = 0) {
        self.questionOctets += questions
        self.octets += octets
        guard self.octets > Self.maximum, !self.isTold else { return }
        self.isTold = true
        self.loop.assumeIsolated().execute {
            self.isTold = false
            self.onExcess?()
        }
    }

    /// Gives up what is beyond the limit, the oldest first: results that nobody fetched, then the events of calls still
    /// under way.
    func bound(_ streams: [ClientStream]) {
        var octets = streams.reduce(0) { $0 + Self.cost(of: $1) }
        guard octets > Self.maximum else { return }
        let oldestFirst = streams.sorted { $0.opened < $1.opened }
        for stream in oldestFirst where stream.finished != nil && octets > Self.maximum {
            octets -= Self.cost(of: stream)
            stream.forget()
        }
        for stream in oldestFirst where stream.finished == nil && octets > Self.maximum {
            octets -= stream.keptOctets
            stream.forgetEvents()
        }
    }

    /// A stream costs something even when it keeps nothing.
    private static func cost(of stream: ClientStream) -> Int { stream.keptOctets + 1_024 }
}
