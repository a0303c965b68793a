package import BridgeConfiguration
import BridgeCore
import Glibc
package import Logging
package import NIOCore

/// The configuration on disk, and what was changed over HTTP since, as deployments.
///
/// Reads and writes small files on the supervisor's event loop, which serves no client. Confined to that loop.
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
        context: LoadingContext, facts: RuntimeFacts, candidates: [ConfigurationLocations.Candidate]
    ) throws {
        self.loader = ConfigurationLoader(context: context)
        self.facts = facts
        self.candidates = candidates
        self.overlay = try Self.readOverlay(facts.statePaths.servers)
        let source = try Self.readSource(candidates)
        let loaded = self.loader.load(source, overlay: self.overlay)
        self.startWarnings = loaded.warnings
        guard let configuration = loaded.configuration else {
            throw Refused(description: loaded.errors.map(\.description).joined(separator: "\n"))
        }
        self.configuration = configuration
        self.atStart = configuration
        self.namesInFile = self.names(in: source)
    }

    private func names(in source: ConfigurationSource?) -> Set<String> {
        Set(self.loader.load(source).configuration?.servers.map(\.name) ?? [])
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
            needsRestart: ConfigurationChange.between(self.atStart, wanted).settingsNeedingRestart,
            drainTimeout: configuration.settings.drainTimeout.duration
        )
    }

    // MARK: DeploymentSource

    package func reload() throws(DeploymentRefusal) -> Deployment {
        let source: ConfigurationSource?
        do {
            source = try Self.readSource(self.candidates)
        } catch {
            throw Self.refusal(422, "\(error)", text: "\(error)")
        }
        let loaded = self.loader.load(source, overlay: self.overlay)
        for warning in loaded.warnings { self.logger?.warning("Configuration", metadata: ["finding": "\(warning)"]) }
        guard let configuration = loaded.configuration else {
            let reasons = loaded.errors.map(\.description).joined(separator: "\n")
            throw Self.refusal(422, "Invalid configuration.", text: reasons)
        }
        self.configuration = configuration
        self.namesInFile = self.names(in: source)
        return self.deployment()
    }

    package func adding(_ body: ByteBuffer) throws(DeploymentRefusal) -> (deployment: Deployment, names: [String]) {
        let request: ServersRequest
        do throws(ServersRequestError) {
            request = try self.loader.servers(inRequest: body, current: self.configuration)
        } catch {
            let body = JSONText(trusting: error.body)
            throw DeploymentRefusal(status: error.status, body: body, text: body.string("error") ?? "refused")
        }
        for warning in request.warnings { self.logger?.warning("Configuration", metadata: ["finding": "\(warning)"]) }
        var changed = self.configuration
        var overlay = self.overlay
        for entry in request.entries { changed.put(entry) }
        for addition in request.additions { overlay.add(addition) }
        self.pending = (changed, overlay)
        return (self.deployment(of: changed), request.entries.filter(\.isEnabled).map(\.name))
    }

    package func removing(_ name: String) throws(DeploymentRefusal) -> Deployment {
        guard self.configuration.server(named: name) != nil else {
            let body = JSONText(trusting: ServersReply.unknown(name))
            throw DeploymentRefusal(status: 404, body: body, text: "Unknown server '\(name)'.")
        }
        var changed = self.configuration
        var overlay = self.overlay
        changed.servers.removeAll { $0.name == name }
        overlay.remove(name, isInFile: self.namesInFile.contains(name))
        self.pending = (changed, overlay)
        return self.deployment(of: changed)
    }

    package func commit() throws(DeploymentRefusal) {
        guard let pending = self.pending else { return }
        self.pending = nil
        do {
            try PrivateFile.replace(self.facts.statePaths.servers, with: pending.overlay.serialized)
        } catch {
            self.logger?.error("State of added servers cannot be written", metadata: ["error": "\(error)"])
            throw Self.refusal(500, "The change cannot be saved.", text: "\(error)")
        }
        self.configuration = pending.configuration
        self.overlay = pending.overlay
    }

    package func rollback() -> Deployment {
        self.pending = nil
        return self.deployment()
    }

    private static func refusal(_ status: Int, _ message: String, text: String) -> DeploymentRefusal {
        DeploymentRefusal(status: status, body: JSONText(trusting: ServersReply.error(message)), text: text)
    }

    // MARK: Files

    /// The configuration file; nil where none is needed and none is there.
    /// - Parameter acceptsPipes: whether one may be waited for. The service must not.
    package static func readSource(
        _ candidates: [ConfigurationLocations.Candidate], acceptsPipes: Bool = false
    ) throws -> ConfigurationSource? {
        for candidate in candidates {
            if let bytes = try PrivateFile.read(candidate.path, limit: 8 << 20, acceptsPipes: acceptsPipes) {
                let path = Self.absolute(candidate.path)
                let directory = path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
                return ConfigurationSource(
                    name: candidate.path, directory: directory.isEmpty ? "/" : directory,
                    bytes: Array(bytes.readableBytesView)
                )
            }
            if candidate.isRequired { throw Refused(description: "Config file not found: \(candidate.path)") }
        }
        return nil
    }

    private static func absolute(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    package static func readOverlay(_ path: String) throws -> ServersOverlay {
        guard let bytes = try PrivateFile.read(path, limit: 8 << 20) else { return ServersOverlay() }
        do {
            return try ServersOverlay(parsing: bytes)
        } catch {
            throw Refused(description: "\(path): \(error)")
        }
    }
}
