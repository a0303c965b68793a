import BridgeCore
import BridgeLink
import Hummingbird
import NIOCore

/// A request's body, and what it is counted by for as long as it is kept.
struct CollectedBody {
    var bytes: ByteBuffer
    var hold: PayloadHold?
}

extension Request {
    /// Reads the whole body, as long as it is not longer than `limit`. Where there is no room for it, it waits, and the
    /// client with it: nothing more is read of it then.
    ///
    /// Call it once, on the event loop.
    func collect(limit: Int, _ context: FrontContext) async throws -> CollectedBody {
        let expected = context.fields.contentLength
        if let expected, expected > limit { throw Refusal.contentTooLarge(limit: limit) }
        if context.fields.expectsContinue { context.connection.value.sendContinue() }
        var whole: ByteBuffer?
        var room = BodyRoom(expected: expected, limit: limit)
        for try await part in self.body {
            let length = (whole?.readableBytes ?? 0) + part.readableBytes
            guard length <= limit else { throw Refusal.contentTooLarge(limit: limit) }
            try await room.grow(to: length, context)
            if whole == nil {
                whole = part
                if let expected, expected > part.readableBytes { whole?.reserveCapacity(expected) }
            } else {
                whole?.writeImmutableBuffer(part)
            }
        }
        guard context.connection.value.requestIsComplete else { throw Refusal.incompleteBody }
        return CollectedBody(bytes: whole ?? ByteBuffer(), hold: room.hold)
    }
}

/// The room that is taken for a body while it arrives: for all of it at once where its length is known, so that two
/// bodies never wait for each other, each with a half of its own. A client that sends nothing takes none.
private struct BodyRoom {
    let expected: Int?
    let limit: Int
    private var holds: [PayloadHold] = []
    private var reserved = 0

    init(expected: Int?, limit: Int) {
        self.expected = expected
        self.limit = limit
    }

    /// All of it together.
    var hold: PayloadHold? { PayloadHold.all(self.holds) }

    mutating func grow(to length: Int, _ context: FrontContext) async throws {
        guard length >= PayloadShares<String>.smallest, length > self.reserved else { return }
        let wanted = self.expected ?? min(2 * length, self.limit)
        guard let hold = await Self.ask(wanted - self.reserved, context) else { throw Refusal.overloadedBody }
        self.holds.append(hold)
        self.reserved = wanted
    }

    private static func ask(_ octets: Int, _ context: FrontContext) async -> PayloadHold? {
        let answer = Answer()
        let gate = context.state.value.bodies
        let caller = context.fields.sessionID ?? ""
        let connection = context.connection.value
        connection.holdBody(true)
        await withCheckedContinuation { continuation in
            _ = gate.ask(caller: caller, octets: octets) { hold in
                answer.hold = hold
                continuation.resume()
            }
        }
        connection.holdBody(false)
        return answer.hold
    }

    private final class Answer {
        var hold: PayloadHold?
    }
}
