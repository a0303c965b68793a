import BridgeConfiguration
import BridgeCore
import BridgeLink
import Glibc
import NIOCore
import Testing

@testable import BridgeFront

@Suite("Routes over HTTP", .timeLimit(.minutes(1))) struct LiveRoutesTests {
    private static func get(_ front: FrontFixture, _ path: String, _ fields: [String] = []) async throws
        -> RawClient.Reply
    {
        let client = try await front.connect()
        try await client.send(HTTPText.request("GET \(path)", fields))
        return try await client.reply()
    }

    @Test func `the root says where everything is`() async throws {
        try await FrontFixture.run { front in
            let body = try JSONText(validating: ByteBuffer(string: try await Self.get(front, "/").body))
            #expect(body.bool("ok") == true)
            #expect(body.string("service") == "mcp-bridge")
            #expect(body.string("mcp") == "http://localhost/mcp")
            #expect(body.string("health") == "http://localhost/health")
        }
    }

    @Test func `health and servers are the supervisor's words`() async throws {
        try await FrontFixture.run { front in
            #expect(try await Self.get(front, "/servers").body == #"{"servers":["demo"]}"#)
            let health = try await Self.get(front, "/health")
            #expect(health.status == 200)
            #expect(health.body.contains(#""status":"ok""#))
            #expect(try await Self.get(front, "/health/live").status == 200)
        }
    }

    @Test func `health is 200 even when the supervisor does not know`() async throws {
        try await FrontFixture.run { front in
            try await front.onLoop { $0.supervisor.value.answers["health"] = nil }
            let health = try await Self.get(front, "/health")
            #expect(health.status == 200)
            #expect(health.body.contains("supervisor_unavailable"))
        }
    }

    @Test func `ready is 200 or says why not`() async throws {
        try await FrontFixture.run { front in
            // A first call makes sure that the link to the session is up.
            let client = try await front.connect()
            try await client.send(HTTPText.post(HTTPText.call(1)))
            _ = try await client.reply()
            #expect(try await Self.get(front, "/health/ready").status == 200)
            try await front.onLoop {
                $0.supervisor.value.answers["health"] = (
                    200, #"{"ok":false,"upstreams":[{"name":"git","connected":false,"toolCount":0}]}"#
                )
            }
            let reply = try await Self.get(front, "/health/ready")
            #expect(reply.status == 503)
            #expect(reply.body.contains(#""upstream":"git""#))
        }
    }

    @Test func `tools are the session worker's words`() async throws {
        try await FrontFixture.run(answer: { exchange, header, _ in
            #expect(header.string("op") == "tools")
            exchange.end(header: .parse("{}"), payload: ByteBuffer(string: #"{"tools":{"demo":["demo.echo"]}}"#))
        }) { front in
            let reply = try await Self.get(front, "/tools")
            #expect(reply.body == #"{"tools":{"demo":["demo.echo"]}}"#)
        }
    }

    @Test func `HEAD has the head of GET alone`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(HTTPText.request("HEAD /health/live"))
            let head = try await client.head()
            #expect(head.status == 200)
            #expect(head.value("content-length") == "13")
            try await client.send(HTTPText.request("HEAD /mcp") + HTTPText.request("GET /health/live"))
            #expect(try await client.head().status == 405)
            #expect(try await client.reply().body == #"{"live":true}"#)
        }
    }

    @Test func `metrics count what happened`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(HTTPText.post(HTTPText.call(1)))
            _ = try await client.reply()
            try await client.send(HTTPText.post("{"))
            _ = try await client.reply()
            try await client.send(HTTPText.request("GET /metrics"))
            let reply = try await client.reply()
            #expect(reply.value("content-type")?.hasPrefix("text/plain; version=0.0.4") == true)
            #expect(reply.body.contains("mcp_bridge_http_requests_total{route=\"mcp\",status=\"200\"} 1\n"))
            #expect(reply.body.contains("mcp_bridge_http_requests_total{route=\"mcp\",status=\"400\"} 1\n"))
            #expect(reply.body.contains("mcp_bridge_http_refused_total{reason=\"parse_error\"} 1\n"))
            #expect(reply.body.contains("mcp_bridge_upstream_up{upstream=\"demo\"} 1\n"))
            #expect(reply.body.contains("mcp_bridge_http_connections{state=\"busy\"} 1\n"))
            #expect(reply.body.contains("mcp_bridge_process_pss_bytes{process=\"http\"} 4096\n"))
            #expect(reply.body.contains("mcp_bridge_process_pss_bytes{process=\"upstream@demo\"} 8192\n"))
            #expect(reply.body.contains("mcp_bridge_log_dropped_records_total{process=\"http\"} 7\n"))
            #expect(reply.body.contains("mcp_bridge_process_anonymous_bytes{process=\"http\"} 1024\n"))
        }
    }

    // MARK: Changing

    private static let servers = #"{"mcpServers":{"x":{"command":"y"}}}"#

    @Test func `an administrator on the local socket changes what is served`() async throws {
        try await FrontFixture.run { front in
            try await front.onLoop {
                $0.supervisor.value.answers["servers.add"] = (200, #"{"added":["x"]}"#)
                $0.supervisor.value.answers["servers.remove"] = (404, #"{"error":"Unknown server 'a b'."}"#)
            }
            let client = try await front.connectLocally()
            try await client.send(HTTPText.post(Self.servers, path: "/servers"))
            #expect(try await client.reply().body == #"{"added":["x"]}"#)
            try await client.send(HTTPText.request("DELETE /servers/a%20b"))
            let reply = try await client.reply()
            #expect(reply.status == 404)
            #expect(reply.body == #"{"error":"Unknown server 'a b'."}"#)
            let asked = try await front.onLoop { $0.supervisor.value.asked }
            #expect(asked == [#"{"op":"servers.add"} "# + Self.servers, #"{"op":"servers.remove","name":"a b"} "#])
        }
    }

    @Test(arguments: [
        "Origin: http://localhost:3000", "Origin: https://claude.ai", "Origin: https://evil.example", "Origin: null",
        "X-Forwarded-For: 127.0.0.1",
    ])
    func `a page or a proxy does not, not even on the local socket`(field: String) async throws {
        try await FrontFixture.run { front in
            for client in [try await front.connect(), try await front.connectLocally()] {
                let add = HTTPText.post(Self.servers, [field], path: "/servers")
                for request in [add, HTTPText.request("DELETE /servers/x", [field])] {
                    try await client.send(request)
                    let status = try await client.reply().status
                    #expect(status == 401 || status == 403)
                }
            }
            #expect(try await front.onLoop { $0.supervisor.value.asked } == [])
        }
    }

    @Test func `a plain process on loopback does not`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(HTTPText.post(Self.servers, path: "/servers"))
            let reply = try await client.reply()
            #expect(reply.status == 403)
            #expect(reply.body.contains(#""code":"admin_required""#))
            #expect(try await front.onLoop { $0.supervisor.value.asked } == [])
        }
    }

    @Test func `a user without the grant does not`() async throws {
        try await FrontFixture.run(configure: { configuration in
            configuration.peers = [Int(configuration.serviceUID): []]
            configuration.otherPeers = []
            configuration.serviceUID = 54_321
        }) { front in
            let client = try await front.connectLocally()
            try await client.send(HTTPText.post(Self.servers, path: "/servers"))
            let status = try await client.reply().status
            // Root, as whom tests may run, administers whatever the configuration says.
            #expect(status == 403 || getuid() == 0)
        }
    }

    @Test func `what is not JSON is refused before the supervisor sees it`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connectLocally()
            try await client.send(HTTPText.post("{", path: "/servers"))
            let reply = try await client.reply()
            #expect(reply.status == 400)
            #expect(reply.body.hasPrefix(#"{"error":"Invalid JSON payload: "#))
            #expect(try await front.onLoop { $0.supervisor.value.asked } == [])
        }
    }
}
