import NIOCore
import Testing

@testable import BridgeConfiguration
@testable import BridgeCore

/// What no process, path or header can carry is refused when the file is read, wherever it comes from.
@Suite("Forbidden bytes") struct ForbiddenBytesTests {
    private func load(_ entry: String, credential: String = "", file: String = "") -> LoadedConfiguration {
        var context = Loading.context
        context.credential = { _ in credential }
        context.fileContent = { _ in Array(file.utf8) }
        context.variables["WORD"] = "plain"
        return Loading.load(
            "{\"mcpServers\": {\"good\": {\"command\": \"x\"}, \"s\": \(entry)}}", context: context
        )
    }

    private func isRefused(_ loaded: LoadedConfiguration) -> Bool {
        loaded.fates?.served == ["good"] && loaded.fates?.failed == ["s"] && loaded.errors.allSatisfy { $0.line == 1 }
    }

    @Test(arguments: [
        #"{"command": "x", "env": {"K": "a\u0000b"}}"#, #"{"command": "x", "env": {"K\u0000": "b"}}"#,
        #"{"command": "x", "args": ["a\u0000"]}"#, #"{"command": "x\u0000"}"#, #"{"command": "x", "cwd": "/\u0000"}"#,
        #"{"command": "x", "env": {"": "b"}}"#, #"{"command": "x", "env": {"A=B": "b"}}"#,
        #"{"url": "https://x/\u0000"}"#, #"{"url": "https://x", "headers": {"K": "a\u0000b"}}"#,
        #"{"url": "https://x", "headers": {"K": "a\nb"}}"#, #"{"url": "https://x", "headers": {"K": "a\rb"}}"#,
        #"{"url": "https://x", "headers": {"K": "a\r\nX-Other: b"}}"#,
        #"{"url": "https://x", "headers": {"K": "a\n"}}"#,
        #"{"url": "https://x", "headers": {"K\n": "a"}}"#, #"{"url": "https://x", "headers": {"K: a": "b"}}"#,
        #"{"url": "https://x", "headers": {"": "b"}}"#, #"{"url": "https://x", "headers": {"Ké": "b"}}"#,
        #"{"serverUrl": "https://x", "headers": {"K": "a\nb"}}"#,
    ])
    func `what is written is looked at`(entry: String) {
        #expect(self.isRefused(self.load(entry)))
    }

    @Test(arguments: [
        (#"{"command": "x", "env": {"K": "${credential:c}"}}"#, "a\u{0}b"),
        (#"{"command": "x", "args": ["${credential:c}"]}"#, "\u{0}"),
        (#"{"url": "https://x", "headers": {"K": "${credential:c}"}}"#, "a\u{0}b"),
        (#"{"url": "https://x", "headers": {"K": "${credential:c}"}}"#, "a\nb"),
        (#"{"url": "https://x", "headers": {"K": "Bearer ${credential:c}"}}"#, "a\r\nb\n"),
        (#"{"url": "https://x", "headers": {"K": "${credential:c}"}}"#, "a\n\n"),
    ])
    func `what a credential brings in is looked at`(entry: String, credential: String) {
        let loaded = self.load(entry, credential: credential)
        #expect(self.isRefused(loaded))
        #expect(!loaded.errors.contains { "\($0)".contains(credential) })
    }

    @Test(arguments: ["K=a\u{0}b\n", "A=1\nK=\"x\u{0}\"\n"])
    func `what an environment file brings in is looked at`(file: String) {
        let loaded = self.load(#"{"command": "x", "envFile": "/e"}"#, file: file)
        #expect(self.isRefused(loaded))
        #expect(
            loaded.errors.map(\.message)
                == ["the value of K in that file contains a NUL character, which no process can take."])
    }

    @Test func `an environment file of another encoding is named as such`() {
        var context = Loading.context
        context.fileContent = { _ in [0xFF, 0xFE] + "K=v\n".utf8.flatMap { [$0, 0] } }
        let loaded = Loading.load(
            #"{"mcpServers": {"good": {"command": "x"}, "s": {"command": "x", "envFile": "/e"}}}"#, context: context)
        #expect(self.isRefused(loaded))
        #expect(loaded.errors.map(\.message) == ["the file is UTF-16."])
    }

    @Test(arguments: [
        (#"{"command": "x", "env": {"K": "two\nlines\ttab"}}"#, ""),
        (#"{"url": "https://x", "headers": {"K": "a b\tc", "X-Y_z.1": "", "N": 3}}"#, ""),
        (#"{"url": "https://x", "headers": {"K": "${credential:c}"}}"#, "token\n"),
        (#"{"url": "https://x", "headers": {"K": "${credential:c}"}}"#, "token\r\n"),
    ])
    func `what can be carried is let through`(entry: String, credential: String) {
        #expect(self.load(entry, credential: credential).errors.isEmpty)
    }
}
