import ArgumentParser
import BridgeCore
import BridgeMCP
import FoundationEssentials

struct Auth: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "auth", abstract: "Sign in to a server that asks for it, once; and see how sign-ins are.",
        discussion: """
            'mcp-bridge auth NAME' opens the server's sign-in page in a browser, or prints its address, and waits until somebody \
            has signed in. The service keeps the tokens and renews them from then on.
            On a machine without a screen: open the address anywhere, sign in, and paste the address that the browser ends at, \
            even where it shows an error. Where the server offers it, a code is typed in elsewhere instead (--device).
            """,
        subcommands: [SignIn.self, List.self, Logout.self], defaultSubcommand: SignIn.self
    )

    struct SignIn: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "login", abstract: "Sign in to a server.",
            discussion: """
                Where a password for the owner's consent page is given (MCP_BRIDGE_OWNER_PASSWORD, the credential \
                'owner-password', or MCP_BRIDGE_OWNER_PASSWORD_OP_REF), that page is filled in, and no browser is needed.
                Exit status: 0 signed in, 1 not.
                """
        )

        enum Return: String, ExpressibleByArgument, CaseIterable { case local, front }

        @Argument(help: "The server's name in the configuration.")
        var name: String

        @Flag(help: "Sign in though that has been done, with a client that is registered anew.")
        var fresh = false

        @Flag(help: "By a code that is typed in on another machine.")
        var device = false

        @Flag(help: "Print the address, and open no browser.")
        var noBrowser = false

        @Option(
            help: "Where the browser comes back to: 'local', a port of this machine, or 'front', the service itself.")
        var comeBack: Return?

        @Option(help: "The service's control socket.")
        var control: String?

        func run() throws {
            try Auth.telling {
                try SignInCourse(
                    client: try AuthClient(path: self.control), name: self.name, isFresh: self.fresh,
                    isByCode: self.device, opensBrowser: !self.noBrowser, comesBackTo: self.comeBack?.rawValue
                ).run()
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status", abstract: "Show how it stands with every server's sign-in.",
            discussion: "Exit status: 0 nobody has to do anything, 1 somebody has."
        )

        @Flag(help: "The answer as JSON.")
        var json = false

        @Option(help: "The service's control socket.")
        var control: String?

        func run() throws {
            try Auth.telling {
                let body = try AuthClient(path: self.control).all()
                StandardStreams.output(self.json ? body.description + "\n" : AuthTable.text(body, now: Date()))
                if AuthTable.isTroubled(body) { throw ExitCode.failure }
            }
        }
    }

    struct Logout: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "logout", abstract: "Revoke a server's tokens, and delete what was kept for it.")

        @Argument(help: "The server's name in the configuration.")
        var name: String

        @Option(help: "The service's control socket.")
        var control: String?

        func run() throws {
            try Auth.telling {
                let answer = try AuthClient(path: self.control).ask(.logout, of: self.name)
                StandardStreams.output(PrintableText.line(answer.text, limit: 2_000) + "\n")
                if !answer.isDone { throw ExitCode.failure }
            }
        }
    }

    /// What is wrong with asking is said in words.
    private static func telling(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let failure as ControlClient.Failure {
            StandardStreams.error("mcp-bridge: \(failure)\n")
            throw ExitCode.failure
        }
    }
}
