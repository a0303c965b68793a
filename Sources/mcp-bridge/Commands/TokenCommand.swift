import ArgumentParser
import BridgeAccess
import BridgeConfiguration
import FoundationEssentials

struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Make, show, replace and revoke the tokens by which others may use the bridge.",
        discussion: """
            A token's secret is shown once, when it is made. A client sends it as 'Authorization: Bearer …' or as \
            'x-api-key: …'; the commands and 'mcp-bridge stdio' read it from $MCP_BRIDGE_TOKEN or --token-file.
            """,
        subcommands: [Create.self, List.self, Show.self, Revoke.self, Rotate.self, Usage.self]
    )

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Make a token and print its secret.",
            discussion: """
                Standard output has the secret and nothing else: TOKEN=$(mcp-bridge token create --name ci --scope mcp --quiet)

                A scope is a list of: mcp (everything of MCP), server:NAME (one server), tool:SERVER.PATTERN (some of its \
                tools), chat (model APIs), source (answer for models), admin (all of that but source, and change the \
                service: it means to run any command).
                """
        )

        @Option(help: "What to call it, for people.")
        var name: String

        @Option(help: "What it may do, such as 'mcp', or 'server:calculator,tool:git.*'.")
        var scope: String

        @Option(help: "Which models it may ask for, such as 'gpt-*,claude-*'. Default: all.")
        var models: String?

        @Option(help: "When it ends, such as '30min', '24h' or '90d' from now. Default: never.")
        var expires: String?

        @Option(help: "How many requests it may make, such as '60/min'.")
        var rate: String?

        @Option(help: "How many requests may be under way at once.")
        var concurrency: String?

        @Option(help: "How much it may use in a day, such as '100000tokens/day' or '500requests/day'.")
        var budget: String?

        @Flag(help: "On the model APIs an echo answers it. Calls of MCP are not affected: they run.")
        var sandbox = false

        @Flag(help: "Have each of its requests in the log, too.")
        var audit = false

        @OptionGroup var output: TokenOutput

        func run() throws {
            var wish = TokenWish(name: self.name, scope: self.scope)
            wish.models = self.models
            wish.expiresIn = try self.expires.map { try TokenTime.seconds($0, option: "expires") }
            wish.rate = self.rate
            wish.concurrency = self.concurrency
            wish.budget = self.budget
            wish.isSandboxed = self.sandbox
            wish.isAudited = self.audit
            try self.output.show(.create(wish))
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the tokens.")

        @Flag(help: "Those that are good no longer, too.")
        var all = false

        @OptionGroup var output: TokenOutput

        func run() throws { try self.output.show(.list, showsAll: self.all) }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show one token, without its secret.")

        @Argument(help: "Its id, or its name.")
        var token: String

        @OptionGroup var output: TokenOutput

        func run() throws { try self.output.show(.show(self.token)) }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke", abstract: "End a token. Nobody is let in by it any more, and its streams end.")

        @Argument(help: "Its id, or its name.")
        var token: String

        @OptionGroup var output: TokenOutput

        func run() throws { try self.output.show(.revoke(self.token)) }
    }

    struct Rotate: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate",
            abstract: "Give a token a new secret and print it. Its id, its sessions and its limits stay."
        )

        @Argument(help: "Its id, or its name.")
        var token: String

        @Option(help: "How long the old secret stays good, such as '1h'. Default: it ends now.")
        var keepOld: String?

        @OptionGroup var output: TokenOutput

        func run() throws {
            let time = try self.keepOld.map { try TokenTime.seconds($0, option: "keep-old") }
            try self.output.show(.rotate(self.token, keepOld: time ?? 0))
        }
    }

    struct Usage: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "usage", abstract: "Show what tokens have used.")

        @Argument(help: "A token's id, or its name. Default: all that have used anything.")
        var token: String?

        @Option(help: "Since when, such as '24h' or '7d' ago.")
        var since = "24h"

        @OptionGroup var output: TokenOutput

        func run() throws {
            let time = try TokenTime.seconds(self.since, option: "since")
            let now = Int(Date().timeIntervalSince1970)
            try self.output.show(.usage(since: now - time, token: self.token))
        }
    }
}

/// Lengths of time on the command line.
enum TokenTime {
    static func seconds(_ text: String, option: String) throws -> Int {
        guard let seconds = Quantity.seconds(text), seconds >= 1, seconds < 1e10 else {
            throw ValidationError("--\(option): '\(text)' is no time. Write '30min', '24h' or '90d'.")
        }
        return Int(seconds.rounded(.up))
    }
}
