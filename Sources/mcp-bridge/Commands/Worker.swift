import ArgumentParser
import BridgeProcess
import Glibc

struct Worker: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "One worker process; started by 'serve', not by people.",
        shouldDisplay: false
    )

    enum Role: String, ExpressibleByArgument, CaseIterable {
        case http, session, upstream
    }

    @Argument(help: "http, session or upstream.")
    var role: Role

    @Argument(help: "The upstream's name.")
    var name: String?

    @Option(help: "For tests: take the configuration from this file, not from the supervisor.")
    var configFrame: String?

    func validate() throws {
        guard (self.role == .upstream) == (self.name != nil) else {
            throw ValidationError("An upstream worker, and no other, has a name.")
        }
    }

    func run() throws {
        ProcessThread.blockSignals([SIGTERM, SIGINT, SIGHUP])
        CrashSignals.restoreDefaults()
        // Started through /proc/self/exe, it would be called "exe" in process lists.
        let name = open("/proc/self/comm", O_WRONLY | O_CLOEXEC)
        if name >= 0 {
            _ = write(name, "mcp-bridge", 10)
            close(name)
        }
        // After the name, which only the owner may write, and before anything secret arrives.
        try ProcessSecrecy.enable()
        throw ExitCode(WorkerHost(role: self.role, name: self.name, configFrame: self.configFrame).run())
    }
}
