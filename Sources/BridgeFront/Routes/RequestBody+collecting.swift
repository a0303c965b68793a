import BridgeCore
import BridgeLink
import Hummingbird
import NIOCore

extension Request {
    /// Reads the whole body, as long as it is not longer than `limit`. Where there is no room for it, it waits, and the
    /// client with it: nothing more is read of it then. A token that ends meanwhile is good for nothing that comes after.
    ///
    /// Call it once, on the event loop.
    func collect(limit: Int, _ context: FrontContext) async throws -> CollectedBody {
        let expected = context.fields.contentLength
        if let expected, expected > limit { throw Refusal.contentTooLarge(limit: limit) }
        if context.fields.expectsContinue { context.connection.value.sendContinue() }
        var collector = BodyCollector(expected: expected, limit: limit)
        for try await part in self.body {
            switch collector.take(part) {
            case .taken: break
            case .tooLong: throw Refusal.contentTooLarge(limit: limit)
            case .needsRoom(let octets):
                guard let hold = await Self.room(octets, context) else {
                    throw Refusal.overloadedBody(limit: context.state.value.bodies.limit)
                }
                collector.grant(hold)
            }
        }
        guard context.connection.value.requestIsComplete else { throw Refusal.incompleteBody }
        try context.demandGoodToken()
        return collector.finish()
    }

    private static func room(_ octets: Int, _ context: FrontContext) async -> PayloadHold? {
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
