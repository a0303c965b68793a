import BridgeConfiguration
import BridgeProcess
import Synchronization

/// Reads what 1Password keeps, through its command `op`: each reference once in the life of the process.
final class OnePassword: Sendable {
    /// Asking the vault takes a second; a dialogue that nobody answers takes for ever.
    private static let patience = Duration.seconds(10)
    private static let beginning = "op://"

    private let environment: [String: String]
    private let commands: ShortCommands
    private let known = Mutex<[String: String]>([:])

    /// - Parameter commands: where `op` is known while it runs.
    init(environment: [String: String], among commands: ShortCommands = ShortCommands()) {
        self.environment = environment
        self.commands = commands
    }

    func read(_ reference: String) -> SecretReference {
        if let known = self.known.withLock({ $0[reference] }) { return .known(known) }
        guard reference.hasPrefix(Self.beginning), reference.count > Self.beginning.count else {
            return .unknown("a reference is 'op://vault/item/field'")
        }
        do {
            let text = try self.ask(reference)
            self.known.withLock { $0[reference] = text }
            return .known(text)
        } catch {
            return .unknown("'op': \(error.description)")
        }
    }

    private func ask(_ reference: String) throws(ShortCommand.Failure) -> String {
        let executable: String
        do throws(ExecutableLookup.Failure) {
            executable = try ExecutableLookup.find("op", path: self.environment["PATH"], workingDirectory: nil)
        } catch {
            throw ShortCommand.Failure(description: "there is no such program")
        }
        let output = try ShortCommand.output(
            of: executable, ["read", reference], environment: self.commandEnvironment, within: Self.patience,
            among: self.commands)
        var text = String(decoding: output, as: UTF8.self)
        if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
        guard !text.isEmpty else { throw ShortCommand.Failure(description: "its answer is empty") }
        return text
    }

    /// Its own variables, and what any program needs; none of the bridge's secrets.
    private var commandEnvironment: [String: String] {
        let own = self.environment.filter { $0.key.hasPrefix("OP_") || $0.key == "DBUS_SESSION_BUS_ADDRESS" }
        return WorkerEnvironment.make(from: self.environment).merging(own) { $1 }
    }
}
