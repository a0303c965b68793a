import ArgumentParser
import BridgeCore
import BridgeProcess
import BridgeSupervisor
import FoundationEssentials
import Glibc
import NIOCore

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the configuration, or print it as it is understood.",
        subcommands: [Check.self, Print.self]
    )

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what is wrong with the configuration: file, line, key and what to do.",
            discussion: "Exit status: 0 usable (warnings may be printed), 1 not."
        )

        @Option(help: "The file to check, in place of the one the service would read.")
        var config: String?

        @Argument(help: "The same.")
        var file: String?

        func run() throws {
            let loaded = try ConfigurationReading.load(self.file ?? self.config)
            for diagnostic in loaded.diagnostics { FileHandleText.standardError("\(diagnostic)\n") }
            guard let configuration = loaded.configuration else { throw ExitCode.failure }
            let names = configuration.upstreams.map(\.name).joined(separator: ", ")
            FileHandleText.standardOutput("ok: \(configuration.upstreams.count) upstreams (\(names))\n")
        }
    }

    struct Print: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the configuration with every default in place and every secret masked."
        )

        @Option(help: "The file, in place of the one the service would read.")
        var config: String?

        func run() throws {
            let loaded = try ConfigurationReading.load(self.config)
            for error in loaded.errors { FileHandleText.standardError("\(error)\n") }
            guard let configuration = loaded.configuration else { throw ExitCode.failure }
            FileHandleText.standardOutput(String(buffer: configuration.printed))
        }
    }
}

/// The configuration as the service would read it.
enum ConfigurationReading {
    static func load(_ flag: String?) throws -> LoadedConfiguration {
        let environment = ProcessInfo.processInfo.environment
        let candidates = ConfigurationLocations.candidates(
            flag: flag, environment: environment, isSystemService: ServicePlaces.isSystemService(environment)
        )
        do {
            var overlay = ServersOverlay()
            if flag == nil {
                let path = StatePaths(environment: environment).servers
                do {
                    overlay = try ConfigurationBook.readOverlay(path)
                } catch let error as SystemCallError where error.code == EACCES {
                    FileHandleText.standardError("\(path): warning: cannot be read by this user, and is left out\n")
                }
            }
            return ConfigurationLoader(context: .ofThisProcess(environment: environment))
                .load(try ConfigurationBook.readSource(candidates), overlay: overlay)
        } catch {
            FileHandleText.standardError("mcp-bridge: \(error)\n")
            throw ExitCode.failure
        }
    }
}
