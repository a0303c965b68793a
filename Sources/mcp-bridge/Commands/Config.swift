import ArgumentParser
import BridgeConfiguration
import BridgeCore
import BridgeFiles
import BridgeProcess
import BridgeSupervisor
import BridgeUpstream
import CNIOLinux
import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check the configuration, or print it as it is understood.",
        subcommands: [Check.self, Print.self]
    )

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Say what is wrong with the configuration: file, line, key and what to do.",
            discussion: """
                The service's own file is read as the service reads it: with the variables of its 'environment' file and what \
                was changed over HTTP. Its credentials are for the service alone; that they exist is not checked.
                What is wrong about one server keeps only that one from being served, and is an error here all the same.
                A program or a folder that is not there now is a warning.
                With --connect, each server that has a 'url' is greeted once: is it there, by which transport, and does it \
                want a sign-in?
                Exit status: 0 no errors (warnings may be printed), 1 errors, or a server that is not there.
                """
        )

        @Option(help: "The file to check, in place of the one the service would read.")
        var config: String?

        @Flag(help: "Look whether servers that have a 'url' are there.")
        var connect = false

        @Argument(help: "The same.")
        var file: String?

        func run() throws {
            let loaded = try ConfigurationReading.load(self.file ?? self.config)
            for diagnostic in loaded.diagnostics { StandardStreams.error("\(diagnostic)\n") }
            guard let configuration = loaded.configuration else { throw ExitCode.failure }
            let names = configuration.upstreams.map(\.name).joined(separator: ", ")
            let isReached = self.connect ? RemoteServers.look(in: configuration) : true
            guard loaded.errors.isEmpty else {
                let failed = configuration.troubled.map(\.name).joined(separator: ", ")
                StandardStreams.output("served: \(names.isEmpty ? "none" : names)\nnot served: \(failed)\n")
                throw ExitCode.failure
            }
            StandardStreams.output("ok: \(configuration.upstreams.count) upstreams (\(names))\n")
            if !isReached { throw ExitCode.failure }
        }
    }

    struct Print: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "print",
            abstract: "Print the configuration with every default in place and every secret masked."
        )

        @Option(help: "The file, in place of the one the service would read.")
        var config: String?

        @Argument(help: "The same.")
        var file: String?

        func run() throws {
            let loaded = try ConfigurationReading.load(self.file ?? self.config)
            for error in loaded.errors { StandardStreams.error("\(error)\n") }
            guard let configuration = loaded.configuration else { throw ExitCode.failure }
            StandardStreams.output(String(buffer: configuration.printed))
            if !loaded.errors.isEmpty { throw ExitCode.failure }
        }
    }
}

/// The configuration as the service would read it.
enum ConfigurationReading {
    /// As this user would meet it, which need not be the service's.
    @Sendable private static func obstacle(_ command: String, _ path: String?, _ folder: String) -> StartObstacle? {
        var status = stat()
        guard stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return .folder }
        do {
            _ = try ExecutableLookup.find(command, path: path, workingDirectory: folder)
            return nil
        } catch {
            return .command("\(error)")
        }
    }

    /// Which file it was, of a user who has named none: the service's need not be the one they have in mind.
    private static func tell(
        which source: ConfigurationSource?, of candidates: [ConfigurationLocations.Candidate],
        environment: [String: String]
    ) {
        if let source {
            StandardStreams.error("note: this is \(source.name)\n")
        } else if let wanted = candidates.first?.path {
            StandardStreams.error("note: there is no \(wanted); the demo server alone is served\n")
        }
        for own in ConfigurationLocations.userFiles(environment: environment)
        where !candidates.contains(where: { $0.path == own }) && access(own, F_OK) == 0 {
            StandardStreams.error("note: the service does not read \(own); name it to have it checked\n")
        }
    }

    static func load(_ flag: String?) throws -> LoadedConfiguration {
        let shell = ProcessInfo.processInfo.environment
        let isSystem = ServicePlaces.isSystemService(shell)
        let say = { @Sendable (text: String) in StandardStreams.error(text + "\n") }
        let isServices = flag == nil || flag == ConfigurationLocations.systemFile
        let environment =
            isServices ? ServiceEnvironment.resembling(shell, isSystem: isSystem, note: say) : shell
        let candidates = ConfigurationLocations.candidates(
            flag: flag, environment: environment, isSystemService: isSystem
        )
        var context = LoadingContext.ofThisProcess(environment: environment).assumingCredentials { name in
            let kind = name.hasPrefix("op://") ? "reference" : "credential"
            say("note: the \(kind) '\(name)' is for the service alone; that it is there was not checked")
        }
        context.obstacle = Self.obstacle
        do {
            var overlay = ServersOverlay()
            if isServices {
                let path = StatePaths(environment: environment).servers
                do {
                    overlay = try ConfigurationBook.readOverlay(path)
                } catch let error as SystemCallError where error.code == EACCES {
                    StandardStreams.error("\(path): warning: cannot be read by this user, and is left out\n")
                }
            }
            // A pipe, too: of a shell's `<(…)`.
            let source = try ConfigurationBook.readSource(candidates, acceptsPipes: true)
            if flag == nil { Self.tell(which: source, of: candidates, environment: environment) }
            return ConfigurationLoader(context: context).load(source, overlay: overlay)
        } catch {
            StandardStreams.error("mcp-bridge: \(error)\n")
            throw ExitCode.failure
        }
    }
}
