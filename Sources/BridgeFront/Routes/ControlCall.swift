import BridgeCore
import BridgeLink
import NIOCore

/// A question to the supervisor over the control link. Confined to the event loop.
enum ControlCall {
    /// What the supervisor keeps in memory.
    static let readingTime = TimeAmount.seconds(5)
    /// A change may start a server and wait for it as long as its configuration allows: the supervisor always answers in
    /// time, so this only has to be longer.
    static let changingTime = TimeAmount.hours(1)

    /// - Returns: the status and the body, as HTTP must give them.
    /// - Throws: ``ClientGone``; ``Refusal/supervisorUnavailable`` when there is no answer in time.
    static func ask(
        _ header: JSONText, _ payload: ByteBuffer? = nil, within time: TimeAmount, _ context: FrontContext
    ) async throws -> (status: Int, body: ByteBuffer) {
        let state = context.state.value
        let connection = context.connection.value
        let feed = ExchangeFeed(loop: state.loop, payloads: connection.payloads)
        connection.observer = feed
        feed.attach(state.control.open(header: header, payload: payload, delegate: feed))
        defer { connection.observer = nil }
        while true {
            switch await feed.next(within: time) {
            case .ended(let header, let body):
                guard let body else { throw Refusal.supervisorUnavailable }
                return (header.int("st") ?? 200, body)
            case .message(_, let payload): feed.consumed(octets: payload?.readableBytes ?? 0)
            case .draining: break
            case .clientGone: throw ClientGone()
            case .failed: throw Refusal.supervisorUnavailable
            case .quiet:
                feed.cancel(reason: "no answer in time")
                throw Refusal.supervisorUnavailable
            }
        }
    }
}
