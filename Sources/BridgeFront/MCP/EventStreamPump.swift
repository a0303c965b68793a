import BridgeCore
import BridgeLink
import Hummingbird
import NIOCore

/// Carries the messages of one exchange to a client as server-sent events. Confined to the event loop.
///
/// A message is acknowledged to its sender once the client's connection has taken it, so that a client which does not
/// read holds back its own exchange and nothing else.
final class EventStreamPump {
    /// How the exchange ended, for the log.
    enum Outcome: Equatable {
        case ended
        case clientGone
        case drained
        case lost(ExchangeFailure)
    }

    private let feed: ExchangeFeed
    private let payloads: PayloadAccount
    private let keepAlive: TimeAmount
    /// Requests that were POSTed and not answered yet. When the exchange is lost, each gets an error.
    private var unanswered: [RPCID]
    private let isBatch: Bool
    private var buffer = ByteBuffer()
    private var unacknowledged: [Int] = []

    /// Events that are ready together leave together, up to about this many bytes.
    private static let coalesced = 64 << 10
    /// What a client is asked to wait before it connects again to a service that stops, in milliseconds.
    private static let retry = 1_000

    init(_ feed: ExchangeFeed, payloads: PayloadAccount, keepAlive: TimeAmount, body: PostBody? = nil) {
        self.feed = feed
        self.payloads = payloads
        self.keepAlive = keepAlive
        self.unanswered = body?.requestIDs ?? []
        self.isBatch = body?.isBatch ?? false
    }

    /// Writes until the exchange is over, and ends the stream.
    ///
    /// - Parameter first: the message that began the stream.
    /// - Throws: what the writer throws when the connection is gone.
    func run(first: (JSONText, ByteBuffer?), to writer: inout any ResponseBodyWriter) async throws -> Outcome {
        var event = ExchangeFeed.Event.message(first.0, first.1)
        while true {
            var outcome = self.take(event)
            while outcome == nil, self.buffer.readableBytes < Self.coalesced, let more = self.feed.nextNow() {
                outcome = self.take(more)
            }
            if outcome == .clientGone { throw ClientGone() }
            try await self.write(to: &writer)
            if let outcome {
                try await writer.finish(nil)
                return outcome
            }
            event = await self.feed.next(within: self.keepAlive)
        }
    }

    private func write(to writer: inout any ResponseBodyWriter) async throws {
        if self.buffer.readableBytes > 0 {
            let written = self.buffer
            self.buffer = ByteBuffer()
            self.payloads.holdNext(written.readableBytes)
            defer { self.payloads.releaseNext() }
            try await writer.write(written)
        }
        for octets in self.unacknowledged { self.feed.consumed(octets: octets) }
        self.unacknowledged.removeAll(keepingCapacity: true)
    }

    /// Turns an event into bytes; returns how the stream ends, when it does.
    private func take(_ event: ExchangeFeed.Event) -> Outcome? {
        switch event {
        case .message(let header, let payload):
            self.take(header, payload)
            self.unacknowledged.append(payload?.readableBytes ?? 0)
            return nil
        case .ended(let header, let payload):
            if payload != nil { self.take(header, payload) }
            return .ended
        case .failed(let failure):
            for id in self.unanswered {
                EventStream.write(message: Refusal.outcomeUnknown.body(.rpc(id: id.bytes)), id: nil, to: &self.buffer)
            }
            return .lost(failure)
        case .clientGone:
            return .clientGone
        case .draining:
            self.feed.cancel(reason: "draining")
            EventStream.write(retry: Self.retry, to: &self.buffer)
            return .drained
        case .quiet:
            self.buffer.writeImmutableBuffer(EventStream.keepAlive)
            return nil
        }
    }

    private func take(_ header: JSONText, _ payload: ByteBuffer?) {
        let id = header.string("ev")
        if let payload {
            if self.isBatch { self.noteAnswer(payload) }
            EventStream.write(message: payload, id: id, to: &self.buffer)
        } else if header.bool("prime") == true {
            EventStream.write(primeWithID: id, retry: header.int("retry"), to: &self.buffer)
        }
    }

    /// Which request of a batch a message answers, if any.
    private func noteAnswer(_ payload: ByteBuffer) {
        guard let message = try? RPCMessage(JSONText(trusting: payload)) else { return }
        guard message.shape == .result || message.shape == .error, let id = message.rpcID else { return }
        self.unanswered.removeAll { $0 == id }
    }
}
