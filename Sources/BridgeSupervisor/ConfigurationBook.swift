package import BridgeConfiguration
import BridgeCore
import BridgeFiles
import Glibc
package import Logging
package import NIOCore
import NIOPosix

/// The configuration on disk, and what was changed over HTTP since, as deployments.
///
/// Reads the configuration, and writes its own small file, beside the supervisor's event loop. Confined to that loop.
package final class ConfigurationBook: DeploymentSource {
    private let loader: ConfigurationLoader
    private let facts: RuntimeFacts
    private let candidates: [ConfigurationLocations.Candidate]
    /// Where later findings go; the ones at the start are in ``startWarnings``.
    package var logger: Logger?
    /// What was odd about the configuration at the start, for whoever sets up logging by it.
    package let startWarnings: [ConfigurationDiagnostic]

    package private(set) var configuration: BridgeConfiguration
    /// The configuration that the service was started with.
    private let atStart: BridgeConfiguration
    private var overlay: ServersOverlay
    /// The servers that stand in the file itself.
    private var namesInFile: Set<String> = []
    private var pending: (configuration: BridgeConfiguration, overlay: ServersOverlay)?

    /// Why the service cannot start with its configuration; the description holds a line for each reason.
    package struct Refused: Error, CustomStringConvertible {
        package let description: String
        package init(description: String) { self.description = description }
    }

    package init(
        context: LoadingContext, facts: RuntimeFacts, candidates: [ConfigurationLocations.Candidate],
        command: CommandSettings = CommandSettings()
    ) throws {
        self.loader = ConfigurationLoader(context: context, command: command)
        self.facts = facts
        self.candidates = candidates
        self.overlay = try Self.readOverlay(facts.statePaths.servers)
        let reading = try Reading(candidates, self.loader, self.overlay)
        self.startWarnings = reading.loaded.warnings
        guard let configuration = reading.loaded.configuration else {
            throw Refused(description: reading.loaded.errors.map(\.description).joined(separator: "\n"))
        }
        self.configuration = configuration
        self.atStart = configuration
        self.namesInFile = reading.namesInFile
    }

    /// What the file and the overlay come to. Made on any thread.
    private struct Reading: Sendable {
        let loaded: LoadedConfiguration
        /// The servers that stand in the file itself.
        let namesInFile: Set<String>

        init(
            _ candidates: [ConfigurationLocations.Candidate], _ loader: ConfigurationLoader, _ overlay: ServersOverlay
        ) throws {
            let source = try ConfigurationBook.readSource(candidates)
            self.loaded = loader.load(source, overlay: overlay)
            self.namesInFile = Set(loader.load(source).configuration?.names ?? [])
        }
    }

    package func deployment() -> Deployment { self.deployment(of: self.configuration) }

    private func deployment(of wanted: BridgeConfiguration) -> Deployment {
        var configuration = wanted
        // What only a restart changes is until then as it was at the start.
        configuration.settings.listen = self.atStart.settings.listen
        configuration.settings.mcpPath = self.atStart.settings.mcpPath
        return Deployment(
            front: configuration.frontConfiguration(self.facts),
            session: configuration.sessionConfiguration(self.facts),
            upstreams: configuration.upstreams.map {
                .init(
                    configuration: configuration.upstreamConfiguration(for: $0, self.facts),
                    socket: self.facts.socket(of: $0)
                )
            },
            failed: configuration.failed,
            needsRestart: SettingTable.needingRestart(from: self.atStart.settings, to: wanted.settings),
            drainTimeout: configuration.settings.drainTimeout.duration
        )
    }

    // MARK: DeploymentSource

    package func reload(on loop: any EventLoop, _ done: @escaping (Result<Deployment, DeploymentRefusal>) -> Void) {
        let (loader, candidates, overlay) = (self.loader, self.candidates, self.overlay)
        Self.beside(loop) {
            try Reading(candidates, loader, overlay)
        } done: { result in
            done(self.take(result))
        }
    }

    /// Does what may take long on a thread of its own, and says on the loop what came of it.
    private static func beside<Value: Sendable>(
        _ loop: any EventLoop, _ work: @escaping @Sendable () throws -> Value,
        done: @escaping (Result<Value, any Error>) -> Void
    ) {
        let thread = NIOThreadPool(numberOfThreads: 1)
        thread.start()
        thread.runIfActive(eventLoop: loop, work).assumeIsolated().whenComplete { result in
            done(result)
            thread.shutdownGracefully { _ in }
        }
    }

    private func take(_ result: Result<Reading, any Error>) -> Result<Deployment, DeploymentRefusal> {
        let reading: Reading
        do { reading = try result.get() } catch { return .failure(Self.refusal(422, "\(error)", text: "\(error)")) }
        for warning in reading.loaded.warnings {
            self.logger?.warning("Configuration", metadata: ["finding": "\(warning)"])
        }
        guard let configuration = reading.loaded.configuration, reading.loaded.mistakes.isEmpty else {
            let reasons = reading.loaded.errors.map(\.description).joined(separator: "\n")
            return .failure(Self.refusal(422, "Invalid configuration.", text: reasons))
        }
        self.configuration = configuration
        self.namesInFile = reading.namesInFile
        return .success(self.deployment())
    }

    package func adding(
        _ body: ByteBuffer, on loop: any EventLoop,
        _ done: @escaping (Result<ProposedDeployment, DeploymentRefusal>) -> Void
    ) {
        let (loader, current) = (self.loader, self.configuration)
        Self.beside(loop) {
            try loader.servers(inRequest: body, current: current)
        } done: { result in
            done(self.propose(result))
        }
    }

    private func propose(_ result: Result<ServersRequest, any Error>) -> Result<ProposedDeployment, DeploymentRefusal> {
        let request: ServersRequest
        do {
            request = try result.get()
        } catch let error as ServersRequestError {
            let text = error.body.string("error") ?? "refused"
            return .failure(DeploymentRefusal(status: error.status, body: error.body, text: text))
        } catch {
            return .failure(Self.refusal(500, "\(error)", text: "\(error)"))
        }
        for warning in request.warnings { self.logger?.warning("Configuration", metadata: ["finding": "\(warning)"]) }
        var changed = self.configuration
        var overlay = self.overlay
        for entry in request.entries { changed.put(entry) }
        for addition in request.additions { overlay.add(addition) }
        self.pending = (changed, overlay)
        let names = request.entries.filter(\.isEnabled).map(\.name)
        return .success(ProposedDeployment(deployment: self.deployment(of: changed), names: names))
    }

    package func removing(_ name: String) throws(DeploymentRefusal) -> Deployment {
        guard self.configuration.names.contains(name) else {
            let body = ServersReply.unknown(name)
            throw DeploymentRefusal(status: 404, body: body, text: "Unknown server '\(name)'.")
        }
        var changed = self.configuration
        var overlay = self.overlay
        changed.remove(name)
        overlay.remove(name, isInFile: self.namesInFile.contains(name))
        self.pending = (changed, overlay)
        return self.deployment(of: changed)
    }

    package func commit(on loop: any EventLoop, _ done: @escaping (Result<Void, DeploymentRefusal>) -> Void) {
        guard let pending = self.pending else { return done(.success(())) }
        self.pending = nil
        let (path, overlay) = (self.facts.statePaths.servers, pending.overlay)
        Self.beside(loop) {
            try PrivateFile.replace(path, with: overlay.serialized.readableBytesView)
        } done: { result in
            if case .failure(let error) = result {
                self.logger?.error("State of added servers cannot be written", metadata: ["error": "\(error)"])
                return done(
                    .failure(DeploymentRefusal(status: 500, body: ServersReply.cannotBeSaved, text: "\(error)")))
            }
            self.configuration = pending.configuration
            self.overlay = overlay
            done(.success(()))
        }
    }

    package func rollback() -> Deployment {
        self.pending = nil
        return self.deployment()
    }

    private static func refusal(_ status: Int, _ message: String, text: String) -> DeploymentRefusal {
        DeploymentRefusal(status: status, body: ServersReply.error(message), text: text)
    }

    // MARK: Files

    /// Of a configuration file, in bytes. Other programs keep more than servers in theirs.
    package static let maximumOctets = 64 << 20

    /// The configuration file; nil where none is needed and none is there.
    /// - Parameter acceptsPipes: whether one may be waited for. The service must not.
    package static func readSource(
        _ candidates: [ConfigurationLocations.Candidate], acceptsPipes: Bool = false
    ) throws -> ConfigurationSource? {
        for candidate in candidates {
            if let bytes = try WholeFile.readIfPresent(
                candidate.path, limit: Self.maximumOctets, acceptsPipes: acceptsPipes)
            {
                let path = Self.absolute(candidate.path)
                let directory = path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
                return ConfigurationSource(
                    name: candidate.path, directory: directory.isEmpty ? "/" : directory, bytes: bytes
                )
            }
            if candidate.isRequired { throw Refused(description: candidate.notFound) }
        }
        return nil
    }

    /// The path from the root, without links; as it is where there is no such file.
    package static func absolute(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    package static func readOverlay(_ path: String) throws -> ServersOverlay {
        guard let bytes = try WholeFile.readIfPresent(path, limit: 8 << 20) else { return ServersOverlay() }
        do {
            return try ServersOverlay(parsing: ByteBuffer(bytes: bytes))
        } catch {
            throw Refused(description: "\(path): \(error)")
        }
    }
}
