import Testing

@testable import BridgeConfiguration
@testable import BridgeCore

@Suite("Configuration diagnostics") struct DiagnosticsTests {
    @Test func `a diagnostic reads as file, line, column, key, message and remedy`() throws {
        let loaded = Loading.load("{\n  \"mcpServers\": {\n    \"github\": { \"comand\": \"x\" }\n  }\n}")
        let error = try #require(loaded.errors.first)
        #expect(
            "\(error)"
                == "config.json:3:15: error: mcpServers.github: Server config must define either 'command' or 'url'."
                + " Is 'comand' meant to be 'command'?"
        )
    }

    @Test(
        arguments: [
            (#""agrs": []"#, "1:37 mcpServers.s.agrs: unknown key 'agrs'.", "The nearest known key is 'args'."),
            (
                #""timeOut": 3"#, "1:37 mcpServers.s.timeOut: unknown key 'timeOut'.",
                "The nearest known key is 'timeout'."
            ),
            (#""environment": {}"#, "1:37 mcpServers.s.environment: unknown key 'environment'.", nil),
            (
                #""timeouts": {"cal": 3}"#, "1:50 mcpServers.s.timeouts.cal: unknown key 'cal'.",
                "The nearest known key is 'call'."
            ),
            (
                #""retry": "anotated""#, "1:46 mcpServers.s.retry: must be one of 'none', 'annotated'.",
                "The nearest is 'annotated'."
            ),
            (#""args": [1]"#, "1:46 mcpServers.s.args[0]: must be a string, not a number.", nil),
            (#""args": "-x""#, "1:45 mcpServers.s.args: must be an array of strings, not a string.", nil),
            (#""idleStop": 0"#, "1:49 mcpServers.s.idleStop: must be a time above 0.", nil),
            (
                #""limits": {"memory": "lots"}"#,
                "1:58 mcpServers.s.limits.memory: must be a size of at least 1048576 bytes.", nil
            ),
            (
                #""enabled": "yes""#, "1:48 mcpServers.s.enabled: must be true or false, not a string.",
                "Write it without quotes."
            ),
            (
                #""encoding": "latin-1""#,
                "1:49 mcpServers.s.encoding: only 'utf-8' is possible: MCP on standard output is UTF-8.", nil
            ),
            (#""roots": ["src"]"#, nil, nil),
            (#""roots": ["https://x"]"#, "1:47 mcpServers.s.roots[0]: must be an absolute path or a 'file:' URI.", nil),
            (#""env": {"A=B": "x"}"#, "1:52 mcpServers.s.env: a key is not the name of an environment variable.", nil),
            (#""args": ["${NOPE}"]"#, "1:46 mcpServers.s.args[0]: the environment variable NOPE is not set.", nil),
            (#""args": ["${credential:nope}"]"#, "1:46 mcpServers.s.args[0]: there is no credential 'nope'.", nil),
        ] as [(String, String?, String?)])
    func `a mistake in a server is told with its place and remedy`(member: String, brief: String?, remedy: String?) {
        let loaded = Loading.load(#"{"mcpServers": {"s": {"command":"x""# + member.prefixedByComma + "}}}")
        let errors = loaded.diagnostics.filter { $0.severity == .error }
        #expect(
            errors.map { "\($0.line ?? 0):\($0.column ?? 0) \($0.keyPath): \($0.message)" }
                == [brief].compactMap(\.self))
        #expect((loaded.fates?.failed == ["s"]) == (brief != nil))
        if let remedy { #expect(errors.first?.remedy == remedy) }
    }

    @Test(arguments: [
        ("{'mcpServers': {}}", "1:2", "this is not JSON: Expecting property name enclosed in double quotes."),
        ("{\n  \"a\": 1\n  \"b\": 2\n}", "3:3", "this is not JSON: a comma is missing before this."),
        ("{\"é\": }", "1:7", "this is not JSON: unexpected '}'."),
        ("{} {}", "1:4", "this is not JSON: something follows the value."),
        ("{", "1:2", "this is not JSON: Expecting property name enclosed in double quotes."),
        ("{\n/* never\n}", "2:1", "a comment begins here and never ends."),
        ("[]", "1:1", "must be an object, not an array."),
        ("", "1:1", "the file is empty."),
        ("\u{FEFF}\r\n", "1:1", "the file is empty."),
        ("// nothing but this\n", "1:1", "the file is empty."),
    ])
    func `a file that is not a JSON object is told with its place`(text: String, place: String, message: String) {
        let loaded = Loading.load(text)
        #expect(loaded.configuration == nil)
        #expect(loaded.errors.map { "\($0.line ?? 0):\($0.column ?? 0)" } == [place])
        #expect(loaded.errors.map(\.message) == [message])
    }

    @Test func `a key that is written twice is an error at the second one`() {
        let loaded = Loading.load(
            """
            {"mcpServers": {"a": {"command": "x", "command": "y"},
             "a": {"command": "z"}}}
            """
        )
        #expect(
            loaded.brief == [
                "1:39 mcpServers.a.command: this key is written twice.",
                "2:2 mcpServers.a: this key is written twice.",
            ]
        )
    }

    @Test func `a server of the same name in both lists is an error`() {
        let loaded = Loading.load(#"{"mcpServers": {"a": {"command": "x"}}, "servers": {"a": {"command": "y"}}}"#)
        #expect(loaded.brief == ["1:53 servers.a: a server of this name is configured already."])
    }

    @Test(arguments: [
        ("", "a server's name must not be empty."),
        (String(repeating: "n", count: 65), "a server's name has at most 64 characters."),
        ("a\\u0007", "a server's name must not contain control characters."),
        (" a", "a server's name must not begin or end with white space."),
    ])
    func `a name that cannot be used is refused`(name: String, message: String) {
        let loaded = Loading.load("{\"mcpServers\": {\"\(name)\": {\"command\": \"x\"}}}")
        #expect(loaded.errors.map(\.message) == [message])
        #expect(loaded.errors.map(\.column) == [17])
    }

    @Test(arguments: ["io.github.user/server", "Sequential Thinking", "日本語", "a_b-c"])
    func `names that clients give their servers are good`(name: String) {
        let loaded = Loading.load("{\"mcpServers\": {\"\(name)\": {\"command\": \"x\"}}}")
        #expect(loaded.configuration?.upstreams.map(\.name) == [name])
    }

    @Test func `two servers whose tools could have the same names are refused`() {
        let loaded = Loading.load(#"{"mcpServers": {"a": {"command": "x"}, "a.b": {"command": "y"}}}"#)
        #expect(loaded.errors.map(\.keyPath) == [#"mcpServers["a.b"]"#])
        #expect(loaded.errors.first?.column == 47)
        let renamed = Loading.load(#"{"mcpServers": {"a": {"command": "x"}, "a.b": {"command": "y", "prefix": "ab"}}}"#)
        #expect(renamed.errors.isEmpty)
        let separated = Loading.load(
            #"{"bridge": {"separator": "__"}, "mcpServers": {"a": {"command": "x"}, "a.b": {"command": "y"}}}"#
        )
        #expect(separated.errors.isEmpty)
    }

    @Test func `other top-level keys are ignored, and one that looks like ours is asked about`() {
        let loaded = Loading.load(#"{"$schema": "x", "brigde": {}, "mcpServers": {"a": {"command": "x"}}}"#)
        #expect(loaded.configuration != nil)
        #expect(loaded.warnings.map(\.remedy) == ["Is it meant to be 'bridge'?"])
    }

    @Test func `a file that is cut off or damaged anywhere is reported and nothing worse`() {
        let text = Array(
            """
            \u{FEFF}{ // é
              "servers": { "a.b": { "command": "x", "args": ["${HOME}", "\\u00e9"], /* c */ "env": {"K": null}, }, },
              "bridge": { "limits": { "bodyBytes": "4M" }, "listen": ["[::1]:1"] }
            }
            """.utf8
        )
        let load = { (bytes: [UInt8]) in
            ConfigurationLoader(context: Loading.context).load(
                ConfigurationSource(name: "f", directory: "/", bytes: bytes)
            )
        }
        #expect(load(text).configuration != nil)
        for index in text.indices.dropLast(1) {
            #expect(load(Array(text[..<index])).errors.allSatisfy { $0.position != nil })
            for byte in "\"{}[],:/*\\\0x".utf8 + [0xFF] {
                var damaged = text
                damaged[index] = byte
                let loaded = load(damaged)
                #expect((loaded.configuration == nil) == loaded.errors.contains { $0.reach == .service })
                #expect(loaded.configuration?.troubled.isEmpty != loaded.errors.contains { $0.reach != .service })
            }
        }
    }

    @Test func `a value that could be secret is in no diagnostic`() {
        let loaded = Loading.load(
            #"{"mcpServers": {"a": {"url": "ftp://u:ghp_secret@x", "headers": {"A": "ghp_secret\n"}, "x": "ghp_secret"}}}"#
        )
        #expect(!loaded.errors.isEmpty)
        #expect(!loaded.diagnostics.contains { "\($0)".contains("ghp_secret") })
    }
}

extension String {
    fileprivate var prefixedByComma: String { self.isEmpty ? "" : ",\(self)" }
}
