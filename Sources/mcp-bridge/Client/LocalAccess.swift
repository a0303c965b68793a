import BridgeAccess
import BridgeConfiguration
import BridgeCore
import BridgeProcess
import BridgeStore
import BridgeSupervisor
import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix

/// The database of tokens without a service that has it.
struct LocalAccess {
    struct Refused: Error, CustomStringConvertible { let description: String }

    private let environment: [String: String]
    private let state: StatePaths

    /// The service's.
    init() throws {
        let shell = ProcessInfo.processInfo.environment
        try self.init(
            ServiceEnvironment.resembling(shell, isSystem: ServicePlaces.isSystemService(shell)) {
                StandardStreams.error($0 + "\n")
            })
    }

    /// - Parameter directory: the state directory of a bridge of its own.
    init(ofBridge directory: String) throws {
        var environment = ProcessInfo.processInfo.environment
        environment["STATE_DIRECTORY"] = ConfigurationBook.absolute(directory)
        try self.init(environment)
    }

    /// - Parameter environment: of the bridge whose database it is.
    init(_ environment: [String: String]) throws {
        self.environment = environment
        self.state = StatePaths(environment: environment)
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

    var database: String { self.state.database }

    /// Whether anybody has ever made a token here, and it is good.
    func hasGoodToken() -> Bool {
        guard access(self.state.database, F_OK) == 0, case .tokens(let tokens) = try? self.reply(to: .list) else {
            return false
        }
        return tokens.contains { $0.state == .good }
    }

    /// The key that secrets are hashed with; nil where it is not here, and nothing is asked that needs it.
    ///
    /// A service that has it as a credential has no file of it. Tokens of another key would be good for nothing there: none is
    /// made where a service has run, or where there is a database.
    private func key(for command: AccessCommand) throws -> TokenKey? {
        let file = KeyFile.token(self.state)
        let secret: Secret
        if let found = try file.find(environment: self.environment) {
            secret = found
        } else if !self.isInUse {
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

    private var isInUse: Bool {
        access(self.state.database, F_OK) == 0 || access(FolderLock.file(of: self.state.directory), F_OK) == 0
    }

    func reply(to command: AccessCommand) throws -> AccessReply {
        let known = try self.key(for: command)
        let key = known ?? .random()
        let database = AccessDatabase(path: self.state.database, mark: known?.mark)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answered = loop.makePromise(of: AccessReply.self)
        Self.carryOut(command, key, database) { answered.succeed($0) }
        let reply = try answered.futureResult.wait()
        let closed = loop.makePromise(of: Void.self)
        database.close { closed.succeed() }
        try closed.futureResult.wait()
        return reply
    }

    /// - Parameter attempt: several commands may change the same database at once; then it is decided again.
    private static func carryOut(
        _ command: AccessCommand, _ key: TokenKey, _ database: AccessDatabase, attempt: Int = 1,
        _ answer: @escaping @Sendable (AccessReply) -> Void
    ) {
        let now = Int(time(nil))
        database.tokens { stock in
            switch stock {
            case .failure(let trouble): answer(.refused(trouble))
            case .success(let stock):
                let means = AccessDesk.Means(
                    write: { token, answer in database.put(token, over: stock.revision, answer) },
                    revoke: { token, answer in
                        database.revoke(token.id, at: token.revoked ?? now) { result in answer(result.map { _ in }) }
                    },
                    revokesAtOnce: false,
                    decideAgain: {
                        guard attempt < 8 else { return answer(.tooBusy) }
                        Self.carryOut(command, key, database, attempt: attempt + 1, answer)
                    })
                AccessDesk(key: key, rule: nil).decide(command, among: stock.tokens, now: now).carryOut(
                    in: database, tokens: stock.tokens, day: now / 86_400, by: means, answer)
            }
        }
    }
}
