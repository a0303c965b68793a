import NIOCore
import Testing

@testable import BridgeConfiguration
@testable import BridgeCore

/// One server's trouble is its own: whatever is wrong with an entry, the entry beside it is served.
@Suite("Servers in trouble") struct TroubledServersTests {
    /// One server that can run, and one with this entry.
    private func beside(
        _ entry: String, name: String = "s", context: LoadingContext = Loading.context
    ) -> LoadedConfiguration {
        Loading.load("{\"mcpServers\": {\"good\": {\"command\": \"x\"}, \"\(name)\": \(entry)}}", context: context)
    }

    /// What an entry needs, and what there is not.
    private static let needs: [(entry: String, message: String)] = [
        (#"{"command": "x", "env": {"T": "${NOPE}"}}"#, "the environment variable NOPE is not set."),
        (#"{"command": "x", "args": ["${env:NOPE}"]}"#, "the environment variable NOPE is not set."),
        (#"{"command": "${NOPE}/x"}"#, "the environment variable NOPE is not set."),
        (#"{"command": "x", "cwd": "${NOPE}"}"#, "the environment variable NOPE is not set."),
        (#"{"command": "x", "envFile": "${NOPE}"}"#, "the environment variable NOPE is not set."),
        (#"{"command": "x", "roots": ["${NOPE}"]}"#, "the environment variable NOPE is not set."),
        (#"{"url": "https://${NOPE}/mcp"}"#, "the environment variable NOPE is not set."),
        (#"{"url": "https://x", "headers": {"A": "Bearer ${NOPE}"}}"#, "the environment variable NOPE is not set."),
        (#"{"command": {"path": "x", "env": {"T": "${NOPE}"}}}"#, "the environment variable NOPE is not set."),
        (
            #"{"url": "https://x", "oauth": {"clientId": "c", "clientSecret": "${NOPE}"}}"#,
            "the environment variable NOPE is not set."
        ),
        (#"{"serverUrl": "${NOPE}"}"#, "the environment variable NOPE is not set."),
        (#"{"command": "x", "roots": [{"uri": "file://${NOPE}"}]}"#, "the environment variable NOPE is not set."),
        (#"{"url": "${EMPTY}"}"#, "must begin with 'https://' or 'http://'."),
        (#"{"command": "x", "env": {"T": "${credential:nope}"}}"#, "there is no credential 'nope'."),
        (#"{"url": "https://x", "headers": {"A": "${credential:nope}"}}"#, "there is no credential 'nope'."),
        (#"{"command": "x", "envFile": "/no/such.env"}"#, "the file cannot be read."),
        (#"{"command": "x", "envFile": "other.env"}"#, "the file cannot be read."),
        (
            #"{"command": "x", "env": {"T": "${input:key}"}}"#,
            "'${input:key}' asks a person, and a service has nobody to ask."
        ),
        (#"{"command": "${workspaceFolder}/x"}"#, "'${workspaceFolder}' is known only to an editor."),
        (#"{"command": "x", "args": ["${command:pick}"]}"#, "'${command:pick}' is known only to an editor."),
        (
            #"{"source": "extension", "settings": {}}"#,
            "an extension of the editor starts this server, and a service has no editor."
        ),
    ]

    /// What is written wrongly.
    private static let mistakes: [(entry: String, message: String)] = [
        (#"{}"#, "Server config must define either 'command' or 'url'."),
        (#"null"#, "must be an object, not null."),
        (#"["x"]"#, "must be an object, not an array."),
        (#"{"type": "carrier-pigeon", "command": "x"}"#, "must be one of 'stdio', 'http', 'streamable-http', 'sse'."),
        (#"{"command": ""}"#, "must not be empty."),
        (#"{"command": "x", "agrs": []}"#, "unknown key 'agrs'."),
        (#"{"command": "x", "args": "-y"}"#, "must be an array of strings, not a string."),
        (#"{"command": "x", "command": "y"}"#, "this key is written twice."),
        (#"{"command": "x", "timeouts": {"call": -1}}"#, "must be a time above 0."),
        (#"{"command": "x", "disabled": "no"}"#, "must be true or false, not a string."),
        (#"{"url": "ftp://x"}"#, "must begin with 'https://' or 'http://'."),
        (#"{"command": {"args": []}}"#, "must have a 'path'."),
    ]

    @Test(arguments: Self.needs)
    func `what an entry needs and does not find is its own trouble, and no mistake`(entry: String, message: String) {
        let loaded = self.beside(entry)
        #expect(loaded.fates?.served == ["good"] && loaded.fates?.failed == ["s"])
        #expect(loaded.errors.map(\.message) == [message])
        #expect(loaded.errors.allSatisfy { $0.line == 1 && $0.reach == .needs("s") })
        #expect(loaded.errors.allSatisfy { $0.remedy != nil || message.hasPrefix("must begin") })
        #expect(loaded.mistakes.isEmpty)
    }

    @Test(arguments: Self.mistakes)
    func `what is written wrongly in an entry is its own trouble, and a mistake`(entry: String, message: String) {
        let loaded = self.beside(entry)
        #expect(loaded.fates?.served == ["good"] && loaded.fates?.failed == ["s"])
        #expect(loaded.errors.map(\.message) == [message])
        #expect(loaded.mistakes == loaded.errors)
    }

    @Test func `all troubles together are each their own server's`() {
        let all = (Self.needs + Self.mistakes).enumerated()
        let entries = all.map { "\"s\($0)\": \($1.entry)" }.joined(separator: ",\n")
        let loaded = Loading.load("{\"mcpServers\": {\"good\": {\"command\": \"x\"},\n\(entries)}}")
        #expect(loaded.fates?.served == ["good"])
        #expect(loaded.fates?.failed == all.map { "s\($0.offset)" })
        for (index, server) in (loaded.configuration?.failed ?? []).enumerated() {
            #expect(server.troubles.map(\.line) == [index + 2])
            #expect(server.text.contains(all.map(\.element)[index].message))
        }
    }

    @Test func `a server in trouble says what is wrong, what to do and where`() throws {
        let loaded = Loading.load(
            "{\"servers\": {\n  \"a\": {\"command\": \"x\", \"args\": [\"${NOPE}\", \"${input:k}\"]}}}")
        let server = try #require(loaded.configuration?.failed.first)
        #expect(server.name == "a" && server.kind == "stdio")
        #expect(
            server.text == """
                the environment variable NOPE is not set. \
                Set it for the service (Environment= or EnvironmentFile= in the unit), or write '${NOPE:-default}'. \
                (config.json:2:34, servers.a.args[0]) \
                '${input:k}' asks a person, and a service has nobody to ask. \
                Put the value into a credential and write '${credential:k}', or into the environment and write '${k}'. \
                (config.json:2:45, servers.a.args[1])
                """
        )
    }

    @Test(arguments: [
        (#"{"command": "x", "env": {"T": "${NOPE}"}}"#, "stdio"), (#"{"url": "https://${NOPE}"}"#, "http"),
        (#"{"serverUrl": "https://${NOPE}"}"#, "http"), (#"{"httpUrl": 1}"#, "http"), ("{}", "unknown"),
    ])
    func `its kind is what could be read of it`(entry: String, kind: String) {
        #expect(self.beside(entry).configuration?.failed.map(\.kind) == [kind])
    }

    @Test func `one that is switched off is nobody's concern`() {
        let needs = self.beside(#"{"command": "x", "env": {"T": "${NOPE}"}, "disabled": true}"#)
        #expect(needs.fates?.served == ["good"] && needs.fates?.failed == [])
        #expect(needs.errors.isEmpty && needs.warnings.count == 1)
        let mistake = self.beside(#"{"command": "x", "agrs": [], "disabled": true}"#)
        #expect(mistake.fates?.served == ["good"] && mistake.fates?.failed == [])
        #expect(mistake.errors.count == 1)
    }

    @Test(arguments: [
        ("", "(no name)"), ("a\\u0007b", "a\u{FFFD}b"), ("-v", "-v"), (" a", " a"),
        (String(repeating: "n", count: 65), String(repeating: "n", count: 64) + "…"),
    ])
    func `a name that cannot be used is shown without harm`(name: String, shown: String) {
        let loaded = self.beside(#"{"command": "x"}"#, name: name)
        #expect(loaded.fates?.served == ["good"] && loaded.fates?.failed == [shown])
    }

    @Test(arguments: [
        #"{"mcpServers": {"a": {"command": "x"}, "b": {"command": "x"}, "a": {"command": "y"}}}"#,
        #"{"mcpServers": {"a": {"command": "x"}, "b": {"command": "x"}}, "servers": {"a": {"command": "y"}}}"#,
        #"{"mcpServers": {"a": {"command": "x"}, "b": {"command": "x"}}, "context_servers": {"a": {"command": "y"}}}"#,
    ])
    func `a name that is given twice fails, for nobody knows which is meant`(text: String) {
        let loaded = Loading.load(text)
        #expect(loaded.fates?.served == ["b"] && loaded.fates?.failed == ["a"])
    }

    @Test func `of two servers whose tools could have the same names the second fails`() {
        let loaded = Loading.load(#"{"mcpServers": {"a.b": {"command": "y"}, "a": {"command": "x"}}}"#)
        #expect(loaded.fates?.served == ["a"] && loaded.fates?.failed == ["a.b"])
        // Names are fixed by the configuration alone, so that nobody is renamed by another one's mending.
        let first = Loading.load(
            #"{"mcpServers": {"a": {"command": "${NOPE}"}, "a.b": {"command": "y"}, "p": {"command": "${NOPE}", "prefix": "b"}, "b.c": {"command": "z"}}}"#
        )
        #expect(first.fates?.served == [] && first.fates?.failed == ["a", "p", "a.b", "b.c"])
    }

    @Test(arguments: [
        #"{"mcpServers": []}"#, #"{"mcpServers": {"a": {"command": "x"}}, "bridge": {"nmes": "dot"}}"#, "{", "", "[]",
        #"{"mcpServers": {"a": {"command": "x"}}, "mcpServers": {}}"#,
        #"{"mcpServers": {"a": {"command": "x"}}, "bridge": {"listen": "0.0.0.0:1", "requireToken": "remote"}}"#,
    ])
    func `only a file that cannot be read as a whole, or mistakes about the service, stop everything`(text: String) {
        let loaded = Loading.load(text)
        #expect(loaded.configuration == nil && loaded.mistakes == loaded.errors && !loaded.errors.isEmpty)
    }

    @Test func `what was added over HTTP takes the place of a server in trouble, and can be in trouble itself`() throws
    {
        let text = #"{"mcpServers": {"a": {"command": "${NOPE}"}, "b": {"command": "x"}, "c": {"command": "${NOPE}"}}}"#
        var overlay = ServersOverlay()
        overlay.add(.init(name: "a", entry: try JSONText(validating: ByteBuffer(string: #"{"command": "y"}"#))))
        overlay.add(.init(name: "b", entry: try JSONText(validating: ByteBuffer(string: #"{"command": "${GONE}"}"#))))
        overlay.remove("c")
        let loaded = Loading.load(text, overlay: overlay)
        #expect(loaded.fates?.served == ["a"] && loaded.fates?.failed == ["b"])
        #expect(loaded.errors.map(\.keyPath) == ["added.b.command"])
        #expect(loaded.warnings.map(\.keyPath) == ["mcpServers.a.command", "mcpServers.c.command", "removed.c"])
    }

    @Test(arguments: Self.needs + Self.mistakes)
    func `a request that adds such a server is refused`(entry: String, message: String) throws {
        // A request can give no relative path, and unknown keys are no business of ours.
        guard !message.hasPrefix("unknown key"), entry != "null" else { return }
        let body = ByteBuffer(string: "{\"mcpServers\": {\"good\": {\"command\": \"x\"}, \"s\": \(entry)}}")
        let error = #expect(throws: ServersRequestError.self) {
            try ConfigurationLoader(context: Loading.context).servers(inRequest: body, current: BridgeConfiguration())
        }
        #expect(error?.status == 422)
    }

    @Test func `a server in trouble can be replaced and removed`() throws {
        var configuration = try #require(self.beside(#"{"command": "${NOPE}"}"#).configuration)
        #expect(configuration.names == ["good", "s"])
        let body = ByteBuffer(string: #"{"mcpServers": {"s": {"command": "y"}}}"#)
        let request = try ConfigurationLoader(context: Loading.context).servers(inRequest: body, current: configuration)
        var mended = configuration
        for entry in request.entries { mended.put(entry) }
        #expect(mended.upstreams.map(\.name) == ["good", "s"] && mended.failed.isEmpty)
        configuration.remove("s")
        #expect(configuration.names == ["good"])
    }

    @Test func `a secret is in no trouble's text`() throws {
        let loaded = self.beside(
            #"{"url": "https://u:ghp_secret@${NOPE}/", "headers": {"A": "ghp_secret\n", "B": "${GITHUB_TOKEN}\n"}}"#)
        let text = try #require(loaded.configuration?.failed.first?.text)
        #expect(!text.contains("ghp_secret"))
    }
}
