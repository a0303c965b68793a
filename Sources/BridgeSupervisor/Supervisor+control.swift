import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeProcess
import BridgeSystemd
import Glibc
import Logging
import NIOCore

/// What is asked over the control socket, and by the front for others.
extension Supervisor {
    /// What the front may ask.
    static let frontOperations: Set<String> = ["health", "memory", "servers", "servers.add", "servers.remove"]

    /// Serves an operation of the control socket, or of the front on behalf of an admin.
    ///
    /// - Parameter allowed: nil is everything.
    func serve(_ exchange: Exchange, allowing allowed: Set<String>? = nil) {
        let operation = exchange.header.string("op") ?? ""
        if let allowed, !allowed.contains(operation) { return exchange.cancel(reason: "not allowed") }
        switch operation {
        case "health": self.answer(exchange, 200, self.health())
        case "memory": self.answerWithMemory(exchange) { $0.memory() }
        case "status": self.answerWithMemory(exchange) { $0.status() }
        case "servers": self.answer(exchange, 200, self.serverList())
        case "servers.add": self.add(exchange)
        case "servers.remove": self.remove(exchange)
        case "reload": self.reload(exchange)
        default: exchange.cancel(reason: "unknown operation")
        }
    }

    /// Answers when it is known what memory the processes use, asked anew where the question wants that (`fresh`).
    private func answerWithMemory(_ exchange: Exchange, _ body: @escaping (Supervisor) -> JSONText) {
        exchange.delegate = AnswerWaiter { _ in }
        self.withMemory(fresh: exchange.header.bool("fresh") ?? false) { [weak self] in
            guard let self else { return exchange.cancel(reason: "stopping") }
            self.answer(exchange, 200, body(self))
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
        exchange.end(header: JSONWriter.object { $0.member("st", status) }, payload: body.bytes)
    }

    func refuse(_ exchange: Exchange, _ refusal: DeploymentRefusal) {
        exchange.end(
            header: JSONWriter.object {
                $0.member("st", refusal.status); $0.member("text", refusal.text)
            },
            payload: refusal.body.bytes
        )
    }

    func error(_ exchange: Exchange, _ status: Int, _ message: String) {
        self.answer(exchange, status, JSONWriter.object { $0.member("error", message) })
    }

    private func serverList() -> JSONText {
        JSONWriter.object { body in
            body.memberArray("servers") { list in
                for name in self.deployment.upstreams.map(\.configuration.name).sorted() { list.element(name) }
            }
        }
    }
}
