import BridgeConfiguration
import BridgeCore
import NIOCore

/// What becomes of the answer of a call that is about a task.
enum CallStep {
    /// This is the client's answer.
    case answer(ByteBuffer)
    case fail(ToldFault)
    /// The call goes on: another request follows (``Call/ask(_:header:hasRun:)``), now or later.
    case goOn
}

/// What a call is that is about a task: it knows what the ids of tasks are to the client, and what else is to be asked.
///
/// Confined to the event loop.
protocol CallCourse: AnyObject {
    var call: Call? { get set }
    /// The life of the server that the task belongs to; 0 of a call that makes one.
    var life: Int { get }
    /// Of a call that may take long: how long its server may take, where that is not the call's own limit.
    var serverTimeout: Seconds? { get }
    /// Of such a call: what is told when its limit is over.
    var lateness: ToldFault? { get }

    /// The server has answered.
    func answered(_ response: ByteBuffer, _ end: UpstreamEnd) -> CallStep
    /// The server says or asks something before its answer.
    ///
    /// - Returns: what the client is told.
    func said(_ message: ByteBuffer) -> ByteBuffer
    /// The call is over, however it has ended: answered, failed, cancelled, too late.
    func callEnded()
}

extension CallCourse {
    var serverTimeout: Seconds? { nil }
    var lateness: ToldFault? { nil }
    func callEnded() {}
}
