import NIOCore
import Testing

@testable import BridgeConfiguration
@testable import BridgeCore

/// Every trouble, in every place where a value can stand, in every file that servers can stand in.
@Suite("Troubles everywhere") struct EveryTroubleTests {
    /// Entries with a hole.
    private static let places = [
        #"{"command": "HOLE"}"#, #"{"command": "x", "args": ["-y", "HOLE"]}"#,
        #"{"command": "x", "env": {"K": "HOLE"}}"#,
        #"{"command": "x", "envFile": "HOLE"}"#, #"{"command": "x", "cwd": "HOLE"}"#,
        #"{"command": "x", "roots": ["HOLE"]}"#, #"{"command": "x", "roots": [{"uri": "HOLE", "name": "n"}]}"#,
        #"{"command": {"path": "HOLE"}}"#, #"{"command": {"path": "x", "args": ["HOLE"]}}"#,
        #"{"command": {"path": "x", "env": {"K": "HOLE"}}}"#, #"{"type": "local", "command": "x", "args": ["HOLE"]}"#,
        #"{"url": "HOLE"}"#, #"{"serverUrl": "HOLE"}"#, #"{"httpUrl": "HOLE"}"#, #"{"type": "sse", "url": "HOLE"}"#,
        #"{"url": "https://x", "headers": {"Authorization": "HOLE"}}"#,
        #"{"type": "remote", "url": "https://x", "headers": {"A": "b", "C": "HOLE"}}"#,
        #"{"url": "https://x", "oauth": {"clientId": "c", "clientSecret": "HOLE"}}"#,
        #"{"url": "https://x", "oauth": {"clientId": "HOLE"}}"#,
        #"{"url": "https://x", "oauth": {"extraParams": {"audience": "HOLE"}}}"#,
    ]

    /// What can be missing, and what is said of it.
    private static let troubles: [(written: String, message: String)] = [
        ("${NOPE}", "the environment variable NOPE is not set."),
        ("${env:NOPE}", "the environment variable NOPE is not set."),
        ("${credential:nope}", "there is no credential 'nope'."),
        ("${credential:../api}", "there is no credential '../api'."),
        ("${op://vault/item/field}", "'op://vault/item/field' cannot be read: nobody reads it here."),
        ("${input:key}", "'${input:key}' asks a person, and a service has nobody to ask."),
        ("${workspaceFolder}", "'${workspaceFolder}' is known only to an editor."),
        ("${workspaceFolder:api}", "'${workspaceFolder:api}' is known only to an editor."),
        ("${config:a.b}", "'${config:a.b}' is known only to an editor."),
        ("${command:pick}", "'${command:pick}' is known only to an editor."),
        ("${file}", "'${file}' is known only to an editor."),
    ]

    /// Around the hole, in a text that must not be shown.
    private static let surroundings = [
        "HOLE", "https://ghp_secret@HOLE/x", "${GITHUB_TOKEN}HOLE", "HOLE${credential:api}",
    ]

    /// Files around the entry.
    private static let files = [
        #"{"mcpServers": {"good": {"command": "x"}, "s": ENTRY}}"#,
        #"{"servers": {"s": ENTRY, "good": {"command": "x"}}}"#,
        #"{"context_servers": {"good": {"command": "x"}, "s": ENTRY}}"#,
        #"{"mcp": {"servers": {"good": {"command": "x"}, "s": ENTRY}}}"#,
        #"{"mcpServers": {"good": {"command": "x"}}, "projects": {"/src": {"mcpServers": {"s": ENTRY}}}}"#,
    ]

    @Test(arguments: Self.places)
    func `what is missing is told, keeps one server from running and no other, and is no mistake`(place: String) {
        for (written, message) in Self.troubles {
            for surrounding in Self.surroundings {
                let entry = place.replacing("HOLE", with: surrounding.replacing("HOLE", with: written))
                for file in Self.files {
                    let loaded = Loading.load(file.replacing("ENTRY", with: entry))
                    #expect(loaded.fates?.served == ["good"] && loaded.fates?.failed == ["s"], "\(entry)")
                    #expect(loaded.errors.map(\.message).contains(message), "\(entry)")
                    #expect(
                        loaded.mistakes.isEmpty && loaded.errors.allSatisfy { $0.line == 1 && $0.remedy != nil },
                        "\(entry)")
                    self.expectNoSecret(loaded)
                }
            }
        }
    }

    @Test(arguments: Self.places)
    func `a server that was added is treated alike, and a request that adds it is refused`(place: String) throws {
        for (written, message) in Self.troubles {
            let entry = try JSONText(validating: ByteBuffer(string: place.replacing("HOLE", with: written)))
            var overlay = ServersOverlay()
            overlay.add(.init(name: "s", entry: entry))
            let loaded = Loading.load(#"{"mcpServers": {"good": {"command": "x"}}}"#, overlay: overlay)
            #expect(loaded.fates?.served == ["good"] && loaded.fates?.failed == ["s"], "\(entry)")
            #expect(loaded.mistakes.isEmpty && loaded.errors.allSatisfy { $0.file == "servers.json" }, "\(entry)")
            let body = ByteBuffer(string: "{\"mcpServers\": {\"s\": \(entry)}}")
            let error = #expect(throws: ServersRequestError.self) {
                try ConfigurationLoader(context: Loading.context).servers(
                    inRequest: body, current: BridgeConfiguration())
            }
            #expect(
                error?.status == 422
                    && error?.body.description.contains(JSONText(message).description.dropFirst().dropLast()) == true)
        }
    }

    @Test(arguments: Self.places)
    func `of a server that is switched off it is a warning`(place: String) {
        for (written, message) in Self.troubles {
            let entry = place.replacing("HOLE", with: written).dropLast() + #", "disabled": true}"#
            let loaded = Loading.load(Self.files[0].replacing("ENTRY", with: entry))
            #expect(loaded.errors.isEmpty && loaded.warnings.contains { $0.message == message }, "\(entry)")
        }
    }

    @Test func `all of them in one file are each told`() {
        let entries = Self.places.enumerated().flatMap { place in
            Self.troubles.enumerated().map { trouble in
                "\"s\(place.offset)-\(trouble.offset)\": "
                    + place.element.replacing("HOLE", with: "a${GITHUB_TOKEN}" + trouble.element.written)
            }
        }
        let loaded = Loading.load(
            "{\"mcpServers\": {\"good\": {\"command\": \"x\"},\n\(entries.joined(separator: ",\n"))}}")
        #expect(loaded.fates?.served == ["good"])
        #expect(loaded.configuration?.failed.count == entries.count)
        #expect(loaded.configuration?.failed.enumerated().allSatisfy { $1.troubles.map(\.line) == [$0 + 2] } == true)
        self.expectNoSecret(loaded)
    }

    private func expectNoSecret(_ loaded: LoadedConfiguration) {
        let words =
            loaded.diagnostics.map(\.description)
            + (loaded.configuration?.failed.flatMap { [$0.text, $0.reason] } ?? [])
        for word in words { #expect(!word.contains("ghp_secret") && !word.contains("cred-secret")) }
    }
}
