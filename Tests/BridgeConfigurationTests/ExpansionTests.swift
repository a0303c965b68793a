import Testing

@testable import BridgeConfiguration
@testable import BridgeCore

@Suite("Expansion") struct ExpansionTests {
    private let expander = Loading.context.expander

    @Test(arguments: [
        ("plain", "plain", "plain"),
        ("a ${GITHUB_TOKEN} b", "a ghp_secret b", "a *** b"),
        ("${env:GITHUB_TOKEN}", "ghp_secret", "***"),
        ("${NOPE:-fall back}", "fall back", "fall back"),
        ("${env:NOPE:-x}", "x", "x"),
        ("${EMPTY:-x}", "x", "x"),
        ("[${EMPTY}]", "[]", "[***]"),
        ("${userHome}/x", "/home/ada/x", "/home/ada/x"),
        ("${credential:api}", "cred-secret", "***"),
        ("$${GITHUB_TOKEN}", "${GITHUB_TOKEN}", "${GITHUB_TOKEN}"),
        ("${1} ${x#y} ${open", "${1} ${x#y} ${open", "${1} ${x#y} ${open"),
        ("cost $5 ${/}", "cost $5 /", "cost $5 /"),
        ("${GITHUB_TOKEN}${NOPE:-}${userHome}", "ghp_secret/home/ada", "***/home/ada"),
    ])
    func `placeholders are replaced, and what is secret is remembered`(text: String, value: String, masked: String) {
        let (expanded, problems) = self.expander.expand(text)
        #expect(problems.isEmpty)
        #expect(expanded.value == value)
        #expect(expanded.masked == masked)
    }

    @Test func `what was put in is not looked through again`() {
        let expander = TextExpander(
            variables: ["A": "${B}", "B": "b"], home: "/", reference: { _ in .unknown("") }
        ) { _ in nil }
        #expect(expander.expand("${A}").text.value == "${B}")
    }

    @Test func `a credential's name cannot leave the credentials' folder`() {
        var context = Loading.context
        context.credential = { _ in "leak" }
        for name in ["../x", "a/b", "..", ""] {
            #expect(context.expander.expand("${credential:\(name)}").problems == [.missingCredential(name)])
        }
    }

    @Test func `an environment file is read with quotes, comments and export`() {
        let file = EnvironmentFile(
            Array(
                """
                # comment
                A=plain # trailing
                export B = "two\\nlines \\"q\\""
                C='lit$er\\n'   # after
                D="spans
                lines"
                E=
                F=a#b
                1BAD=x
                G="open
                H=after\r
                """.utf8
            )
        )
        #expect(file.variables.map(\.name) == ["A", "B", "C", "D", "E", "F", "H"])
        #expect(
            file.variables.map(\.value) == [
                "plain", "two\nlines \"q\"", "lit$er\\n", "spans\nlines", "", "a#b", "after",
            ]
        )
        #expect(file.problems.map(\.line) == [9, 10])
    }

    @Test func `a child gets the harmless part of the service's environment and its own variables`() {
        let environment = ChildEnvironment.make(
            service: [
                "HOME": "/h", "LANG": "C.UTF-8", "XDG_CACHE_HOME": "/c", "XDG_RUNTIME_DIR": "/run/user/1000",
                "XDG_SESSION_ID": "3",
                "MCP_BRIDGE_OWNER_PASSWORD": "p",
                "NOTIFY_SOCKET": "/n", "CREDENTIALS_DIRECTORY": "/d", "AWS_SECRET_ACCESS_KEY": "s", "TERM": "",
                "USER": "u",
            ],
            entry: ["KEY": ConfiguredText("k"), "LANG": ConfiguredText("de")],
            removing: ["USER"]
        )
        #expect(
            environment.mapValues(\.value) == [
                "HOME": "/h", "LANG": "de", "XDG_CACHE_HOME": "/c", "XDG_SESSION_ID": "3", "KEY": "k",
                "PATH": ChildEnvironment.standardPath, "TERM": "xterm-256color",
            ]
        )
    }

    @Test func `a child learns where the user's sockets are when its entry says so`() {
        let environment = ChildEnvironment.make(
            service: ["XDG_RUNTIME_DIR": "/run/user/1000"],
            entry: ["XDG_RUNTIME_DIR": ConfiguredText("/run/user/1000")]
        )
        #expect(environment["XDG_RUNTIME_DIR"]?.value == "/run/user/1000")
    }

    @Test(arguments: [
        ("{/*a*/\"k\": \"// no /* comment */\"//x\n}", "{     \"k\": \"// no /* comment */\"   \n}"),
        ("[1, 2, ]", "[1, 2  ]"),
        ("[1, /*x*/ ]", "[1        ]"),
        ("{\"a\": [],}", "{\"a\": [] }"),
        ("[,]", "[,]"),
        ("[1,,]", "[1,,]"),
        ("{\"a\\\"//\": \",]\"}", "{\"a\\\"//\": \",]\"}"),
        ("\u{FEFF}{}", "   {}"),
        ("\"open", "\"open"),
        ("\"open\\", "\"open\\"),
    ])
    func `comments and trailing commas become spaces and nothing moves`(text: String, expected: String) {
        let plain = JSONC(Array(text.utf8))
        #expect(String(decoding: plain.bytes, as: UTF8.self) == expected)
        #expect(plain.bytes.count == text.utf8.count)
        #expect(plain.unterminatedComment == nil)
    }

    @Test func `an edit distance counts swaps as one and ignores case`() {
        #expect(EditDistance.between("agrs", "args") == 1)
        #expect(EditDistance.between("Command", "command") == 0)
        #expect(EditDistance.between("", "abc") == 3)
        #expect(EditDistance.between("kitten", "sitting") == 3)
    }
}
