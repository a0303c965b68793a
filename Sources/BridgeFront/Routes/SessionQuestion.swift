import BridgeCore
import BridgeLink
import NIOCore

/// A question of the router's to the session worker, asked again when that is safe. Confined to the event loop.
enum SessionQuestion {
    /// - Returns: the status and the body, as HTTP must give them.
    /// - Throws: ``ClientGone``, or the ``Refusal`` to answer with.
    static func ask(
        _ operation: SessionRequest.Operation, _ context: FrontContext
    ) async throws -> (status: Int, body: ByteBuffer) {
        let state = context.state.value
        let header = SessionRequest(
            operation, requestID: context.audit.value.id().description, principal: context.admission.principal,
            scope: context.admission.token?.scope
        ).text
        var machine = ResponseMachine()
        while true {
            switch await Self.outcome(header, context) {
            case .ended(let header, let body):
                guard let body, let end = SessionEnd(header) else { throw Refusal.internalError }
                try context.demandGoodToken()
                return (end.status, body)
            case .clientGone: throw ClientGone()
            case .quiet:
                _ = machine.noWorker()
                throw Refusal.sessionUnavailable
            case .failed(let failure):
                guard case .refuse(let reason) = machine.failed(failure) else {
                    state.metrics.retriedRequests += 1
                    continue
                }
                if reason == .outcomeUnknown { state.metrics.unknownOutcomes += 1 }
                throw Refusal(reason)
            }
        }
    }

    /// What comes of asking once. It waits for a worker when there is none, for ``FrontState/sessionWait``; a worker that
    /// has the question may take its time.
    private static func outcome(_ header: JSONText, _ context: FrontContext) async -> ExchangeWait.Outcome {
        let state = context.state.value
        let connection = context.connection.value
        let wait = ExchangeWait(loop: state.loop)
        connection.observer = wait
        defer { connection.observer = nil }
        wait.attach(state.session.open(header: header, delegate: wait))
        let first = await wait.next(within: state.session.isConnected ? nil : state.sessionWait)
        guard case .quiet = first else { return first }
        if state.session.isConnected { return await wait.next(within: nil) }
        wait.cancel(reason: "no session worker")
        return .quiet
    }
}

extension Refusal {
    init(_ reason: ResponseMachine.Reason) {
        switch reason {
        case .outcomeUnknown: self = .outcomeUnknown
        case .unavailable: self = .sessionUnavailable
        case .overloaded: self = .overloaded
        case .noMemory: self = .overloadedWorker
        case .cancelled: self = .internalError
        }
    }
}
