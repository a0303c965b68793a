import NIOCore
import Testing

@testable import BridgeConfiguration
@testable import BridgeCore

@Suite("Servers changed at run time") struct ServersOverlayTests {
    private let file = #"{"mcpServers": {"a": {"command": "x"}, "b": {"command": "y"}}}"#

    private func addition(_ name: String, _ entry: String) throws -> ServersOverlay.Addition {
        .init(name: name, entry: try JSONText(validating: ByteBuffer(string: entry)))
    }

    @Test func `additions and removals are laid over the file`() throws {
        var overlay = ServersOverlay()
        overlay.remove("a")
        overlay.add(try self.addition("b", #"{"command": "new"}"#))
        overlay.add(try self.addition("c", #"{"command": "./z", "unheard": 1}"#))
        let loaded = Loading.load(self.file, overlay: overlay)
        #expect(loaded.diagnostics.map(\.keyPath) == ["removed.a"])
        #expect(loaded.errors.isEmpty)
        #expect(loaded.configuration?.servers.map(\.name) == ["b", "c"])
        #expect(Loading.program(loaded, "b")?.command.value == "new")
        #expect(Loading.program(loaded, "c")?.command.value == "./z")
    }

    @Test func `what was added and removed again is gone, and what was removed can be added`() throws {
        var overlay = ServersOverlay()
        overlay.add(try self.addition("c", "{}"))
        overlay.remove("c")
        overlay.remove("a")
        overlay.add(try self.addition("a", #"{"command": "back"}"#))
        let loaded = Loading.load(self.file, overlay: overlay)
        #expect(loaded.configuration?.servers.map(\.name) == ["a", "b"])
        #expect(Loading.program(loaded, "a")?.command.value == "back")
    }

    @Test func `a server that only was added leaves nothing behind when it is removed`() throws {
        var overlay = ServersOverlay()
        overlay.add(try self.addition("c", "{}"))
        overlay.remove("c", isInFile: false)
        #expect(overlay.isEmpty)
    }

    @Test func `the file keeps entries as they were sent`() throws {
        var overlay = ServersOverlay()
        overlay.add(try self.addition("c", #"{"command":"x","env":{"K":"${credential:api}"},"n":1.50}"#))
        overlay.remove("a")
        let text = overlay.serialized
        #expect(
            String(buffer: text)
                == #"{"version":1,"added":{"c":{"command":"x","env":{"K":"${credential:api}"},"n":1.50}},"removed":["a"]}"#
                + "\n"
        )
        #expect(try ServersOverlay(parsing: text) == overlay)
        #expect(try ServersOverlay(parsing: ByteBuffer()).isEmpty)
        #expect(!"\(overlay)\(String(reflecting: overlay.additions))".contains("credential"))
    }

    @Test func `a damaged or newer file is an error`() {
        #expect(throws: ServersOverlayError.newerVersion(2)) {
            try ServersOverlay(parsing: ByteBuffer(string: #"{"version":2}"#))
        }
        for text in ["[]", "{}", "{", #"{"version":"1"}"#] {
            #expect(throws: ServersOverlayError.self) { try ServersOverlay(parsing: ByteBuffer(string: text)) }
        }
    }

    @Test func `an addition that no longer works fails, and the others are served`() throws {
        var overlay = ServersOverlay()
        overlay.add(try self.addition("c", #"{"command": "x", "env": {"K": "${GONE}"}}"#))
        overlay.add(try self.addition("a.b", #"{"command": "x"}"#))
        let loaded = Loading.load(self.file, overlay: overlay)
        #expect(loaded.fates?.served == ["a", "b"] && loaded.fates?.failed == ["c", "a.b"])
        #expect(loaded.errors.map(\.file) == ["servers.json", "servers.json"])
        #expect(loaded.errors.map(\.keyPath) == ["added.c.env.K", #"added["a.b"]"#])
        #expect(loaded.mistakes.isEmpty)
    }

    @Test func `a request adds servers, unknown keys and relative paths left alone`() throws {
        let loader = ConfigurationLoader(context: Loading.context)
        let body = ByteBuffer(
            string: #"{"mcpServers": {"z": {"command": "./x", "whatever": 1}, "y": {"command": "w"}}}"#)
        let request = try loader.servers(inRequest: body, current: BridgeConfiguration())
        #expect(request.entries.map(\.name) == ["z", "y"])
        #expect(
            request.additions.map(\.entry.description) == [#"{"command": "./x", "whatever": 1}"#, #"{"command": "w"}"#])
        #expect(ServersReply.added(request.entries.map(\.name)).description == #"{"added":["y","z"]}"#)
        #expect(request.warnings.isEmpty)
    }

    @Test(arguments: [
        (
            "{bad", 400,
            #"{"error":"Invalid JSON payload: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)."}"#
        ),
        (
            "{}", 422,
            #"{"error":"Invalid server configuration.","details":["At least one server must be provided in 'mcpServers'."]}"#
        ),
        (
            #"{"mcpServers":{}}"#, 422,
            #"{"error":"Invalid server configuration.","details":["At least one server must be provided in 'mcpServers'."]}"#
        ),
        (
            #"{"mcpServers":{"x":{}}}"#, 422,
            #"{"error":"Invalid server configuration.","details":[{"type":"value_error","loc":"mcpServers.x","msg":"Server config must define either 'command' or 'url'."}]}"#
        ),
        (
            #"{"mcpServers":[]}"#, 422,
            #"{"error":"Invalid server configuration.","details":[{"type":"value_error","loc":"mcpServers","msg":"must be an object, not an array."}]}"#
        ),
    ])
    func `a bad request is answered in mcp-proxy's words`(body: String, status: Int, answer: String) throws {
        let loader = ConfigurationLoader(context: Loading.context)
        let error = #expect(throws: ServersRequestError.self) {
            try loader.servers(inRequest: ByteBuffer(string: body), current: BridgeConfiguration())
        }
        #expect(error?.status == status)
        #expect(error?.body.description == answer)
    }

    @Test func `a request whose tools could not be told from a running server's is refused`() throws {
        let loader = ConfigurationLoader(context: Loading.context)
        let current = try #require(Loading.load(self.file).configuration)
        let body = ByteBuffer(string: #"{"mcpServers": {"a.x": {"command": "w"}}}"#)
        let error = #expect(throws: ServersRequestError.self) { try loader.servers(inRequest: body, current: current) }
        #expect(error?.status == 422)
    }

    @Test func `the other management answers`() {
        #expect(ServersReply.list(["b", "a"]).description == #"{"servers":["a","b"]}"#)
        #expect(ServersReply.removed("a").description == #"{"removed":"a"}"#)
        #expect(ServersReply.unknown("a").description == #"{"error":"Unknown server 'a'."}"#)
        #expect(ServersReply.failedToAdd.description == #"{"error":"Failed to add backend servers."}"#)
    }
}
