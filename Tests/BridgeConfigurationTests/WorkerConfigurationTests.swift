import NIOCore
import Testing

@testable import BridgeConfiguration
@testable import BridgeCore
@testable import BridgeMCP

@Suite("Worker configurations") struct WorkerConfigurationTests {
    private let facts = RuntimeFacts(
        runDirectory: "/run/mcp-bridge-run",
        statePaths: StatePaths(environment: ["HOME": "/h", "STATE_DIRECTORY": "/var/lib/mcp-bridge"]),
        sealingKey: Secret("c2VhbA=="),
        serviceUID: 990,
        environment: ["HOME": "/h", "PATH": "/bin", "MCP_BRIDGE_OWNER_PASSWORD": "owner-secret"],
        version: "1.2.3",
        originalNoFileLimit: 1_024,
        cgroupDirectory: "/sys/fs/cgroup/x"
    )

    private let text = """
        {"mcpServers": {
           "git.hub": {"command": "x", "args": ["--token", "${GITHUB_TOKEN}"], "env": {"K": "${credential:api}"},
                       "prefix": "gh", "timeouts": {"call": 7, "tools": {"t": 9}}, "retry": "annotated"},
           "off": {"command": "y", "disabled": true},
           "web": {"url": "https://u:pw@x.example/mcp?key=ghp_secret", "headers": {"Authorization": "ghp_secret"}}},
         "bridge": {"names": "dot", "peers": {"1000": ["admin"]}, "pageSize": 5, "log": {"level": "debug"}}}
        """

    private func configuration() throws -> BridgeConfiguration {
        try #require(Loading.load(self.text).configuration)
    }

    @Test func `the front is told of doors and limits`() throws {
        let front = try self.configuration().frontConfiguration(self.facts)
        #expect(front.sessionSocket == "/run/mcp-bridge-run/session.sock")
        #expect(front.logLevel == .debug && front.serviceUID == 990 && front.limits == FrontLimits())
        #expect(front.grants(uid: 0) == Set(PeerGrant.allCases))
        #expect(front.grants(uid: 990) == Set(PeerGrant.allCases))
        #expect(front.grants(uid: 1_000) == [.admin])
        #expect(front.grants(uid: 7) == [.mcp])
    }

    @Test func `the session is told of upstreams that are on, in order`() throws {
        let session = try self.configuration().sessionConfiguration(self.facts)
        #expect(session.upstreams.map(\.name) == ["git.hub", "web"])
        let route = try #require(session.upstreams.first)
        #expect(route.socket == "/run/mcp-bridge-run/upstream-git%2Ehub.sock")
        #expect(route.prefix == "gh" && route.retry == .annotated)
        #expect(route.timeout(tool: "t") == 9 && route.timeout(tool: "u") == 7)
        #expect(session.names == .dot && session.pageSize == 5)
        #expect(session.toolCachePath == "/var/lib/mcp-bridge/tools-cache.json")
    }

    @Test func `an upstream is told the final command and environment`() throws {
        let configuration = try self.configuration()
        let entry = try #require(configuration.server(named: "git.hub"))
        let upstream = configuration.upstreamConfiguration(for: entry, self.facts)
        guard case .stdio(let launch) = upstream.transport else {
            Issue.record("not a program")
            return
        }
        #expect(launch.arguments == ["--token", "ghp_secret"])
        #expect(
            launch.environment.mapValues(\.value)
                == ["HOME": "/h", "K": "cred-secret", "PATH": "/bin", "TERM": "xterm-256color"])
        #expect(upstream.cgroup == "/sys/fs/cgroup/x/upstream-git%2Ehub")
        #expect(upstream.originalNoFileLimit == 1_024 && upstream.timeouts.call == 7)
    }

    @Test func `what is secret in a command is not shown in a message about it`() {
        var launch = StdioLaunch(command: "/srv/abc/tool", workingDirectory: "/home/xyz")
        #expect(launch.shown("/srv/abc/tool in /home/xyz") == "/srv/abc/tool in /home/xyz")
        launch.shownCommand = "/srv/***/tool"
        launch.shownWorkingDirectory = "***"
        #expect(launch.shown("/srv/abc/tool in /home/xyz") == "/srv/***/tool in ***")
    }

    @Test func `every worker configuration survives its frame`() throws {
        let configuration = try self.configuration()
        let front = configuration.frontConfiguration(self.facts)
        let session = configuration.sessionConfiguration(self.facts)
        #expect(try self.roundTrip(front) == front)
        #expect(try self.roundTrip(session) == session)
        for entry in configuration.upstreams {
            let upstream = configuration.upstreamConfiguration(for: entry, self.facts)
            #expect(try self.roundTrip(upstream) == upstream)
        }
        let frame = String(buffer: try WorkerConfigurationCoding.encode(front))
        #expect(frame.contains(#""keepAliveInterval":15"#) && frame.contains(#""peers":{"1000":["admin"]}"#))
    }

    private func roundTrip<Value: Codable>(_ value: Value) throws -> Value {
        try WorkerConfigurationCoding.decode(Value.self, from: try WorkerConfigurationCoding.encode(value))
    }

    @Test func `no secret shows in a description, a debugger or config print`() throws {
        let configuration = try self.configuration()
        var shown = String(buffer: configuration.printed)
        var values: [Any] = [
            configuration, configuration.sessionConfiguration(self.facts), self.facts, Loading.context,
        ]
        for entry in configuration.upstreams {
            values += [entry, entry.target, configuration.upstreamConfiguration(for: entry, self.facts)] as [Any]
        }
        for value in values {
            shown += "\(value)" + String(reflecting: value)
            dump(value, to: &shown)
        }
        for secret in ["ghp_secret", "cred-secret", "c2VhbA==", "pw", "owner-secret"] {
            #expect(!shown.contains(secret))
        }
        #expect(shown.contains("***"))
    }

    @Test func `config print shows what is understood`() throws {
        let printed = String(buffer: try self.configuration().printed)
        #expect(printed.contains("\"args\": [\n        \"--token\",\n        \"***\"\n      ]"))
        #expect(printed.contains("\"env\": {\n        \"K\": \"***\"\n      }"))
        #expect(printed.contains("\"url\": \"https://***@x.example/mcp?***\""))
        #expect(printed.contains("\"Authorization\": \"***\""))
        #expect(printed.contains("\"listen\": [\n      \"127.0.0.1:8769\"\n    ]"))
        #expect(!Loading.load(printed).diagnostics.contains { $0.severity == .error })
    }

    @Test(arguments: [
        (["--api-key", "v", "x"], ["--api-key", "***", "x"]),
        (["--api-key=v"], ["--api-key=***"]),
        (["-e", "GITHUB_TOKEN=v", "-e", "GITHUB_TOKEN"], ["-e", "GITHUB_TOKEN=***", "-e", "GITHUB_TOKEN"]),
        (["--header", "Authorization: v"], ["--header", "***"]),
        (["--token", "--verbose"], ["--token", "--verbose"]),
        (["--author", "v", "--keyboard=x"], ["--author", "v", "--keyboard=x"]),
        (["postgresql://u:v@h/db"], ["postgresql://***@h/db"]),
    ])
    func `arguments with telling names are masked`(arguments: [String], expected: [String]) {
        #expect(SecretMask.arguments(arguments) == expected)
    }

    @Test func `safe names are shown to the clients that need them`() {
        var session = SessionConfiguration(
            toolCachePath: "", sessionJournalPath: "", sealingKey: Secret(""), serverVersion: "1"
        )
        #expect(session.showsSafeNames(to: "claude-ai") && session.showsSafeNames(to: "Cursor-VSCode"))
        #expect(!session.showsSafeNames(to: "Visual Studio Code") && !session.showsSafeNames(to: nil))
        session.names = .safe
        #expect(session.showsSafeNames(to: nil))
        session.names = .dot
        #expect(!session.showsSafeNames(to: "claude-ai"))
    }

    @Test(arguments: [
        ("*", "anything", true), ("a*c", "abbc", true), ("a*c", "abbd", false), ("a?c", "abc", true),
        ("a?c", "ac", false), ("", "", true), ("", "a", false), ("*_delete", "file_delete", true),
        ("[a]", "a", false), ("a**b*", "ab", true),
    ])
    func `patterns match whole names`(pattern: String, name: String, matches: Bool) {
        #expect(Glob.matches(name, pattern: pattern) == matches)
    }

    @Test func `deny wins over allow, and what is shown can be renamed`() {
        let filter = NameFilter(allow: ["read_*"], deny: ["*_secret"], rename: ["read_a": "a"])
        #expect(filter.shownName(of: "read_a") == "a")
        #expect(filter.shownName(of: "read_b") == "read_b")
        #expect(filter.shownName(of: "read_secret") == nil)
        #expect(filter.shownName(of: "write") == nil)
        #expect(NameFilter(allow: []).shownName(of: "x") == nil)
    }

    @Test func `a time can be any number without a trap`() {
        #expect(Seconds(.infinity).duration == Seconds.longest.duration)
        #expect(Seconds(.nan).timeAmount == .zero)
        #expect(Seconds(-1).milliseconds == 0)
        #expect(Seconds(0.25).milliseconds == 250)
    }
}
