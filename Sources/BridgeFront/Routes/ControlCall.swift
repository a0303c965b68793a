import BridgeCore
import BridgeLink
import NIOCore

/// The client whose request it was has gone away. There is nobody left to answer.
struct ClientGone: Error {}

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
        _ request: ControlRequest, _ payload: ByteBuffer? = nil, within time: TimeAmount, _ context: FrontContext
    ) async throws -> (status: Int, body: ByteBuffer) {
        let state = context.state.value
        let connection = context.connection.value
        let wait = ExchangeWait(loop: state.loop)
        connection.observer = wait
        wait.attach(state.control.open(header: request.text, payload: payload, delegate: wait))
        defer { connection.observer = nil }
        switch await wait.next(within: time) {
        case .ended(let header, let body):
            guard let body, let answer = ControlAnswer(header) else { throw Refusal.supervisorUnavailable }
            return (answer.status, body)
        case .clientGone: throw ClientGone()
        case .failed: throw Refusal.supervisorUnavailable
        case .quiet:
            wait.cancel(reason: "no answer in time")
            throw Refusal.supervisorUnavailable
        }
    }
}
