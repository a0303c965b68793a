package import BridgeConfiguration
import BridgeCore
import BridgeMCP
import Logging
package import NIOCore

/// Looks once whether a server over HTTP is there, and how it is spoken to. Confined to its event loop.
package final class RemoteCheck {
    package enum Outcome: Sendable, Equatable {
        /// - Parameters:
        ///   - transport: as it is written in a configuration.
        ///   - revision: that it speaks.
        case reached(transport: String, revision: String, isEncrypted: Bool)
        case signInNeeded(String)
        case failed(String)
    }

    private let configuration: UpstreamConfiguration
    private let target: RemoteTarget
    private let promise: EventLoopPromise<Outcome>
    private var connection: (any Connection)?
    private let memory = AddressMemory()
    private var proposals = Proposals()
    /// The id of the last `initialize`.
    private var asked = 0
    private var outcome: Outcome?
    private var timer: Scheduled<Void>?

    private init(_ configuration: UpstreamConfiguration, _ target: RemoteTarget, _ loop: any EventLoop) {
        self.configuration = configuration
        self.target = target
        self.promise = loop.makePromise()
    }

    /// - Returns: `nil` of what is no server over HTTP.
    package static func run(
        _ configuration: UpstreamConfiguration, on loop: any EventLoop
    ) -> EventLoopFuture<Outcome>? {
        guard case .http(let target) = configuration.transport else { return nil }
        return loop.flatSubmit {
            let check = RemoteCheck(configuration, target, loop)
            check.start(loop)
            return check.promise.futureResult
        }
    }

    private func start(_ loop: any EventLoop) {
        let connection = RemoteConnections.make(
            self.target, memory: self.memory, maximumMessage: self.configuration.maximumLineBytes, loop: loop,
            logger: Logger(label: "check") { _ in SwiftLogNoOpLogHandler() })
        self.connection = connection
        connection.delegate = self
        let limit = self.configuration.timeouts.connect
        self.timer = loop.assumeIsolated().scheduleTask(in: limit.timeAmount) {
            self.end(.failed("it did not answer initialize within \(limit.words) (timeouts.connect)"))
        }
        connection.start()
    }

    private func greet(proposing revision: ProtocolRevision, over connection: any Connection) {
        self.asked += 1
        let parameters = Handshake.parameters(self.configuration, proposing: revision)
        let hello = ClientMessage.request(id: self.asked, method: "initialize", parameters: parameters)
        connection.send(hello, request: self.asked)
        connection.flush()
    }

    private func end(_ outcome: Outcome) {
        guard self.outcome == nil else { return }
        self.outcome = outcome
        self.timer?.cancel()
        self.connection?.end(.politely)
    }
}

extension RemoteCheck: ConnectionDelegate {
    func connectionOpened(_ connection: any Connection) {
        self.greet(proposing: self.proposals.begin(now: .now()), over: connection)
    }

    func connection(_ connection: any Connection, received message: JSONText, answering request: Int?) {
        guard request == self.asked else { return }
        guard let result = message.value("result") else {
            let error = message.value("error")
            // The service would propose an older one, too.
            if let error, case .propose(let revision) = self.proposals.refused(error) {
                return self.greet(proposing: revision, over: connection)
            }
            let words = error?.string("message") ?? "no reason given"
            let printable = ForeignText.printable(ByteBuffer(string: connection.masked(words)), limit: 256)
            return self.end(.failed("it answered initialize with an error: \(printable)"))
        }
        do throws(Handshake.Failure) {
            let identity = try Handshake.read(result)
            let dialect = (connection as? ProbedHTTP)?.dialect ?? self.target.dialect
            self.end(
                .reached(
                    transport: dialect.rawValue, revision: identity.revision.name,
                    isEncrypted: self.target.url.value.lowercased().hasPrefix("https:")))
        } catch {
            self.end(.failed(error.reason))
        }
    }

    func connection(_ connection: any Connection, couldNotRead what: Unreadable, answering request: Int?) {
        let words = connection.masked(ForeignText.printable(what.bytes, limit: 256))
        if request == self.asked { self.end(.failed("it said '\(words)', which cannot be read (\(what.reason))")) }
    }

    func connection(_ connection: any Connection, lost request: Int, _ loss: RequestLoss) {
        self.end(.failed(RetryAfter.words(loss.reason, loss.retryAfter)))
    }

    func connection(_ connection: any Connection, mayHold request: Int, for time: TimeAmount) -> Bool { true }

    func connectionLost(_ connection: any Connection, reason: String, retryAfter: Int?) {
        self.end(.failed(RetryAfter.words(reason, retryAfter)))
    }

    func connectionNeedsSignIn(_ connection: any Connection, reason: String) {
        self.end(.signInNeeded(reason.replacing("sign-in needed: ", with: "", maxReplacements: 1)))
    }

    func connectionSpoke(_ connection: any Connection) {}
    func connectionBecameWritable(_ connection: any Connection) {}
    func connectionLostSession(_ connection: any Connection, refusesRevision: Bool) {}

    func connectionEnded(_ connection: any Connection) {
        self.connection = nil
        self.promise.succeed(self.outcome ?? .failed("it ended"))
    }
}
