import ArgumentParser
import BridgeAccess
import BridgeConfiguration
import BridgeCore
import BridgeStore
import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix

/// Asks whoever has the tokens: the running service, and where there is none the database itself.
struct AccessClient {
    /// The service's control socket, where the user has named it.
    let control: String?

    /// - Throws: ``ExitCode``, once what is wrong has been said.
    func ask(_ command: AccessCommand) throws -> AccessReply {
        do {
            return try self.reply(to: command)
        } catch {
            StandardStreams.error("mcp-bridge: \(error)\n")
            throw ExitCode.failure
        }
    }

    private func reply(to command: AccessCommand) throws -> AccessReply {
        let payload = try WorkerConfigurationCoding.encode(command)
        do {
            let answer = try ControlClient(path: self.control).ask(.access, payload: payload, timeout: .seconds(30))
            guard answer.status == 200 else {
                throw ControlClient.Failure(description: answer.body.string("error") ?? "the service refused")
            }
            return try WorkerConfigurationCoding.decode(AccessReply.self, from: answer.body.bytes)
        } catch let failure as ControlClient.Failure where failure.isAbsent && self.control == nil {
            return try LocalAccess().reply(to: command)
        }
    }

    /// The tokens of the running service; none where it does not tell.
    func tokensOfService() -> [TokenReport] {
        guard let payload = try? WorkerConfigurationCoding.encode(AccessCommand.list),
            let answer = try? ControlClient(path: self.control).ask(.access, payload: payload, timeout: .seconds(5)),
            case .tokens(let tokens)? = try? WorkerConfigurationCoding.decode(
                AccessReply.self, from: answer.body.bytes)
        else { return [] }
        return tokens
    }

    /// Where the running service serves MCP: as others reach it, where that is configured, else on its first address.
    func address() -> ServiceAddress? {
        guard let status = try? ControlClient(path: self.control).ask(.status(fresh: false)).body,
            let list = status.value("listen")
        else { return nil }
        var address = status.string("publicURL")
        list.elements { span in
            if address == nil, let text = list[span].string, !text.hasPrefix("/") { address = "http://\(text)" }
        }
        return address.map { ServiceAddress(root: $0, mcpPath: status.string("mcpPath") ?? "/mcp") }
    }
}

/// Where a service is reached.
struct ServiceAddress {
    /// What all its paths follow.
    let root: String
    let mcpPath: String

    var mcp: String { self.root + self.mcpPath }

    /// Of a service for which nothing else is configured.
    static let usual = ServiceAddress(root: "http://127.0.0.1:8769", mcpPath: "/mcp")
}

/// The database without a service.
private struct LocalAccess {
    struct Refused: Error, CustomStringConvertible { let description: String }

    private let environment: [String: String]
    private let state: StatePaths

    init() throws {
        let shell = ProcessInfo.processInfo.environment
        self.environment = ServiceEnvironment.resembling(shell, isSystem: ServicePlaces.isSystemService(shell)) {
            StandardStreams.error($0 + "\n")
        }
        self.state = StatePaths(environment: self.environment)
        var status = stat()
        guard stat(self.state.directory, &status) == 0 else {
            throw Refused(
                description:
                    "no service runs, and there is no state directory \(self.state.directory). Start the service first."
            )
        }
        // Files that we make there would not be the service's.
        guard status.st_uid == geteuid() else {
            throw Refused(
                description: "no service runs, and \(self.state.directory) is not this user's. Start the service first."
            )
        }
    }

    /// The key that secrets are hashed with; nil where it is not here, and nothing is asked that needs it.
    ///
    /// A service that has it as a credential has no file of it. Another key would make the tokens there are good for nothing:
    /// none is made beside a database.
    private func key(for command: AccessCommand) throws -> TokenKey? {
        let file = KeyFile.token(self.state)
        let secret: Secret
        if let found = try file.find(environment: self.environment) {
            secret = found
        } else if access(self.state.database, F_OK) != 0 {
            secret = try file.key(environment: self.environment)
        } else if !command.makesSecret {
            return nil
        } else {
            throw Refused(
                description:
                    "no service runs, and the key to its tokens is not in \(self.state.tokenKey). If the service has it as the "
                    + "credential 'token-key', start the service and ask again."
            )
        }
        guard let key = TokenKey(base64: secret.value) else {
            throw Refused(
                description: "\(self.state.tokenKey) (or the credential 'token-key') is not 32 bytes in base64")
        }
        return key
    }

    func reply(to command: AccessCommand) throws -> AccessReply {
        StandardStreams.error("note: no service runs; this is done in \(self.state.database) itself\n")
        let known = try self.key(for: command)
        let key = known ?? .random()
        let database = AccessDatabase(path: self.state.database, mark: known?.mark)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answered = loop.makePromise(of: AccessReply.self)
        let now = Int(time(nil))
        database.tokens { stock in
            switch stock {
            case .failure(let trouble): answered.succeed(.refused(trouble))
            case .success(let stock):
                AccessDesk(key: key, rule: nil).decide(command, among: stock.tokens, now: now).carryOut(
                    in: database, names: Dictionary(stock.tokens.map { ($0.id, $0.name) }) { first, _ in first },
                    day: now / 86_400,
                    write: { token, answer in database.put(token) { result in answer(result.map { _ in }) } },
                    { answered.succeed($0) })
            }
        }
        let reply = try answered.futureResult.wait()
        let closed = loop.makePromise(of: Void.self)
        database.close { closed.succeed() }
        try closed.futureResult.wait()
        return reply
    }
}
