import BridgeConfiguration
import BridgeCore
import BridgeFiles
import BridgeLink
import BridgeProcess
import BridgeSystemd
import Glibc
import Logging
import NIOCore

/// What is asked over the control socket, and by the front for others.
extension Supervisor {
    /// Serves a request of the control socket, or of the front on behalf of an admin.
    func serve(_ exchange: Exchange, fromFront isFromFront: Bool = false) {
        guard let request = ControlRequest(exchange.header) else { return exchange.cancel(reason: "unknown operation") }
        if isFromFront, !request.isForFront { return exchange.cancel(reason: "not allowed") }
        switch request {
        case .health: self.answer(exchange, 200, self.health())
        case .memory: self.answerWithMemory(exchange, fresh: false) { $0.memory() }
        case .status(let fresh): self.answerWithMemory(exchange, fresh: fresh) { $0.status() }
        case .servers:
            let names = self.deployment.upstreams.map(\.configuration.name) + self.deployment.failed.map(\.name)
            self.answer(exchange, 200, ServersReply.list(names))
        case .addServers: self.add(exchange)
        case .removeServer(let name): self.remove(name, exchange)
        case .reload: self.reload(exchange)
        case .access: self.passToFront(exchange)
        case .oauth(let name, let request): self.serveOAuth(exchange, name, request)
        }
    }

    /// Answers when it is known what memory the processes use.
    ///
    /// - Parameter fresh: whether they are asked anew, however short a time ago they were asked.
    private func answerWithMemory(
        _ exchange: Exchange, fresh: Bool, _ body: @escaping (Supervisor) -> JSONText
    ) {
        exchange.delegate = AnswerWaiter { _ in }
        self.withMemory(fresh: fresh) { [weak self] in
            guard let self else { return exchange.cancel(reason: "stopping") }
            self.answer(exchange, 200, body(self))
        }
    }

    /// Tokens are the front's. What is in the payload, a new secret perhaps, is looked at and kept nowhere on the way.
    private func passToFront(_ exchange: Exchange) {
        guard let slot = self.slots[.http], slot.phase == .ready, let control = slot.control else {
            return self.error(exchange, 503, "The front is starting. Try again.")
        }
        exchange.delegate = AnswerWaiter { _ in }
        control.ask(header: WorkerRequest.access.text, payload: exchange.payload) { [weak self] answer in
            switch answer {
            case .ended(let header, let payload): exchange.end(header: header, payload: payload)
            case .failed: self?.error(exchange, 502, "The front has ended. Whether it was done is not known.")
            }
        }
    }

    func serveControlSocket() {
        guard let socket = self.environment.sockets.control else { return }
        // The listener closes what it is given; ours stays open for the next process.
        let copy = fcntl(socket.descriptor, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else {
            let error = SystemCallError("dup", "control socket")
            return self.logger.error("Control socket cannot be served", metadata: ["error": "\(error)"])
        }
        LinkListener.listen(descriptor: copy, on: self.loop) { [weak self] link in
            link.onOpen = { exchange in
                if let self { self.serve(exchange) } else { exchange.cancel(reason: "stopping") }
            }
        }.assumeIsolated().whenComplete { [weak self] result in
            switch result {
            case .success(let listener): self?.controlListener = listener
            case .failure(let error):
                self?.logger.error("Control socket cannot be served", metadata: ["error": "\(error)"])
            }
        }
    }

    func answer(_ exchange: Exchange, _ status: Int, _ body: JSONText) {
        exchange.end(header: ControlAnswer(status).text, payload: body.bytes)
    }

    func refuse(_ exchange: Exchange, _ refusal: DeploymentRefusal) {
        exchange.end(header: ControlAnswer(refusal.status, text: refusal.text).text, payload: refusal.body.bytes)
    }

    func error(_ exchange: Exchange, _ status: Int, _ message: String) {
        self.answer(exchange, status, ServersReply.error(message))
    }
}
