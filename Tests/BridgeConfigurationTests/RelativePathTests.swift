import NIOCore
import Testing

@testable import BridgeConfiguration

@Suite("Relative words of a command") struct RelativePathTests {
    private func program(_ entry: String, files: [String]) -> UpstreamTarget.Program? {
        var context = Loading.context
        context.fileExists = { files.contains($0) }
        return Loading.program(Loading.load("{\"mcpServers\": {\"s\": \(entry)}}", context: context))
    }

    /// Each place where a file can be: in `cwd`, beside the configuration, in both, in neither.
    @Test(arguments: [
        ("./s.py", true, false, "/srv/app/s.py"), ("./s.py", false, true, "/etc/app/s.py"),
        ("./s.py", true, true, "/srv/app/s.py"), ("./s.py", false, false, "./s.py"),
        ("../s.py", true, true, "/srv/app/../s.py"), ("../s.py", false, true, "/etc/app/../s.py"),
        ("../s.py", false, false, "../s.py"), ("src/s.py", true, true, "/srv/app/src/s.py"),
        ("src/s.py", false, true, "/etc/app/src/s.py"), ("src/s.py", false, false, "src/s.py"),
        ("s.py", true, true, "s.py"), ("-c/x", true, true, "-c/x"), ("https://x/y", true, true, "https://x/y"),
        ("@scope/pkg", false, false, "@scope/pkg"), ("/abs/s.py", true, true, "/abs/s.py"),
        ("~/s.py", true, true, "/home/ada/s.py"),
    ])
    func `a word is looked for in the entry's folder first, then beside the file`(
        word: String, isInFolder: Bool, isBeside: Bool, expected: String
    ) {
        let name = word.hasPrefix("./") ? String(word.dropFirst(2)) : word
        let files = (isInFolder ? ["/srv/app/\(name)"] : []) + (isBeside ? ["/etc/app/\(name)"] : [])
        for entry in [
            #"{"command": "\#(word)", "cwd": "/srv/app"}"#,
            #"{"command": "x", "args": ["\#(word)"], "cwd": "/srv/app"}"#,
        ] {
            let program = self.program(entry, files: files)
            #expect((program?.arguments.first ?? program?.command)?.value == expected)
            #expect(program?.workingDirectory?.value == "/srv/app")
        }
    }

    @Test(arguments: [
        ("./s.py", "/etc/app/s.py"), ("src/s.py", "src/s.py"), ("../s.py", "/etc/app/../s.py"),
    ])
    func `without a folder of its own a word that names no file is beside the configuration when it begins with a dot`(
        word: String, expected: String
    ) {
        #expect(self.program(#"{"command": "x", "args": ["\#(word)"]}"#, files: [])?.arguments.first?.value == expected)
    }

    @Test(arguments: [
        ("app", "/etc/app/app"), ("./app", "/etc/app/app"), ("~/app", "/home/ada/app"), ("~", "/home/ada"),
    ])
    func `a relative folder starts beside the configuration`(folder: String, expected: String) {
        let program = self.program(
            #"{"command": "x", "args": ["./s.py"], "cwd": "\#(folder)"}"#, files: ["\(expected)/s.py"])
        #expect(program?.workingDirectory?.value == expected)
        #expect(program?.arguments.first?.value == "\(expected)/s.py")
    }

    @Test func `without a folder of its own a program runs in the home, and in the root where there is none`() throws {
        for (files, directory) in [(["/home/ada"], "/home/ada"), ([], "/")] {
            var context = Loading.context
            context.fileExists = { files.contains($0) }
            context.variables["MCP_BRIDGE_SENTINEL_COMMAND"] = "x"
            let loaded = Loading.load(#"{"mcpServers": {"s": {"command": "x"}}}"#, context: context)
            let configuration = try #require(loaded.configuration)
            let facts = RuntimeFacts(
                runDirectory: "/r", statePaths: StatePaths(environment: [:]), sealingKey: Secret(""), serviceUID: 0,
                environment: [:], version: "1"
            )
            #expect(configuration.upstreams.map(\.name) == ["s", "sentinel"])
            for entry in configuration.upstreams {
                let upstream = configuration.upstreamConfiguration(for: entry, facts)
                guard case .stdio(let launch) = upstream.transport else { throw Missing() }
                #expect(launch.workingDirectory == directory)
            }
            #expect(String(buffer: configuration.printed).contains("\"cwd\": \"\(directory)\""))
        }
    }

    private struct Missing: Error {}

    @Test func `the fingerprint of a program does not depend on where the home is`() {
        var program = UpstreamTarget.Program(command: ConfiguredText("x"))
        let without = UpstreamTarget.stdio(program).fingerprint
        program.standardDirectory = "/home/ada"
        #expect(UpstreamTarget.stdio(program).fingerprint == without)
    }

    @Test func `config print shows which file is meant, and no secret of the folder`() throws {
        var context = Loading.context
        context.fileExists = { $0.hasSuffix("/s.py") }
        let shown = Loading.load(
            #"{"mcpServers": {"s": {"command": "x", "args": ["./s.py"], "cwd": "/srv/app"}}}"#, context: context)
        #expect(String(buffer: try #require(shown.configuration).printed).contains("\"/srv/app/s.py\""))
        let secret = Loading.load(
            #"{"mcpServers": {"s": {"command": "./s.py", "args": ["./s.py"], "cwd": "/srv/${GITHUB_TOKEN}"}}}"#,
            context: context)
        #expect(Loading.program(secret)?.command.value == "/srv/ghp_secret/s.py")
        #expect(!String(buffer: try #require(secret.configuration).printed).contains("ghp_secret"))
    }
}
