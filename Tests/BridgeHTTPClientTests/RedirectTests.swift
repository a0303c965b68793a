import NIOHTTP1
import Testing

@testable import BridgeHTTPClient

@Suite("Redirects") struct RedirectTests {
    private static func redirect(_ status: String, _ location: String) -> [OddServer.Step] {
        answer(status, "", type: nil, headers: "Location: \(location)")
    }

    @Test(arguments: ["/other", "other", "./other", "{}/other"])
    func `a POST follows within its server, with its body and its headers`(location: String) async throws {
        let script: OddServer.Script = { request, count in
            let own = request.head.headers.first(name: "Host").map { "http://\($0)" } ?? ""
            return count == 0
                ? Self.redirect(
                    "307 Temporary Redirect", location.hasPrefix("{}") ? own + location.dropFirst(2) : location)
                : answer("200 OK", "there")
        }
        try await OddServer.serving(script) { server in
            var asked = try request(server, body: "ask")
            asked.headers.add(name: "Authorization", value: "Bearer t")
            let found = try await connected { [asked] in try await $0.outcome(of: asked) }
            #expect(found.text == "there", "\(found)")
            #expect(server.requests.map(\.head.uri) == ["/mcp", "/other"])
            #expect(server.requests.map(\.body) == ["ask", "ask"])
            #expect(server.requests.map(\.head.method) == [.POST, .POST])
            #expect(server.requests.last?.head.headers["Authorization"] == ["Bearer t"])
        }
    }

    @Test func `a circle is left after five rounds, and nothing has run`() async throws {
        try await OddServer.serving({ _, _ in Self.redirect("307 Temporary Redirect", "/mcp") }) { server in
            let found = try await connected { try await $0.outcome(of: request(server)) }
            #expect(
                found.failure
                    == HTTPFailure(.redirectedTooOften(from: server.url + "/mcp", limit: 5), mayHaveRun: false))
            #expect(server.requests.count == 6)
        }
    }

    @Test func `a redirect whose body does not end is followed all the same`() async throws {
        let script: OddServer.Script = { _, count in
            count == 0
                ? [.text("HTTP/1.1 307 Temporary Redirect\r\nLocation: /b\r\nContent-Length: 9\r\n\r\n")]
                : answer("200 OK", "b")
        }
        try await OddServer.serving(script) { server in
            let found = try await connected { try await $0.outcome(of: request(server)) }
            #expect(found.text == "b")
        }
    }

    @Test func `another server is never asked`() async throws {
        try await OddServer.serving({ _, _ in answer() }) { other in
            try await OddServer.serving({ _, _ in Self.redirect("307 Temporary Redirect", other.url + "/x?secret") }) {
                server in
                let found = try await connected { try await $0.outcome(of: request(server)) }
                let reason = HTTPFailure.Reason.redirectedAway(from: server.url + "/mcp", to: other.url + "/x")
                #expect(found.failure == HTTPFailure(reason, mayHaveRun: false))
                #expect(other.requests.isEmpty)
            }
        }
    }

    private func verdict(
        _ status: Int, _ location: String?, _ method: HTTPMethod = .POST, at address: String = "http://example.org/mcp"
    ) throws -> RedirectRule.Verdict {
        RedirectRule.verdict(
            on: HTTPResponseStatus(statusCode: status), location: location, method: method,
            at: try #require(HTTPAddress(address)), followed: 0)
    }

    @Test(arguments: [301, 302, 303]) func `a status that would make a GET of a POST is refused`(status: Int) throws {
        let reason = HTTPFailure.Reason.redirectedOtherwise(
            from: "http://example.org/mcp", to: "http://example.org/a", status: status)
        #expect(try self.verdict(status, "/a") == .refuse(reason))
        #expect(try self.verdict(status, "/a", .DELETE) != .answer)
        #expect(try self.verdict(status, "/a", .GET) == .follow(try #require(HTTPAddress("http://example.org/a"))))
    }

    @Test(arguments: [(301, false), (302, false), (303, true)])
    func `a POST that is told to look elsewhere has run, and one that is told to go elsewhere has not`(
        status: Int, mayHaveRun: Bool
    ) async throws {
        let script: OddServer.Script = { _, _ in answer("\(status) X", headers: "Location: /other") }
        try await OddServer.serving(script) { server in
            let found = try await connected { try await $0.outcome(of: request(server)) }
            let reason = HTTPFailure.Reason.redirectedOtherwise(
                from: server.url + "/mcp", to: server.url + "/other", status: status)
            #expect(found.failure == HTTPFailure(reason, mayHaveRun: mayHaveRun))
        }
    }

    @Test func `https of the same host at the standard ports counts as the same server, and nothing else`() throws {
        let secure = try #require(HTTPAddress("https://example.org/mcp"))
        #expect(try self.verdict(308, "https://example.org/mcp") == .follow(secure))
        #expect(try self.verdict(308, "https://EXAMPLE.org:443/mcp") != .answer)
        for (from, to) in [
            ("http://example.org/mcp", "https://example.com/mcp"),
            ("http://example.org/mcp", "https://www.example.org/mcp"),
            ("http://example.org:8080/mcp", "https://example.org/mcp"),
            ("http://example.org/mcp", "https://example.org:8443/"),
            ("https://example.org/mcp", "http://example.org/mcp"), ("http://localhost/mcp", "http://127.0.0.1/mcp"),
            ("http://example.org/mcp", "//example.com/"), ("http://example.org/mcp", "ftp://example.org/mcp"),
            ("http://example.org/mcp", "javascript:alert(1)"), ("http://example.org/mcp", "file:///etc/passwd"),
        ] {
            guard case .refuse(.redirectedAway) = try self.verdict(307, to, at: from) else {
                Issue.record("\(from) to \(to)")
                continue
            }
        }
    }

    @Test func `who follows no redirect is told where it leads, and who follows three refuses the fourth`() throws {
        let address = try #require(HTTPAddress("https://as.example/token"))
        func verdict(_ location: String, followed: Int, most: Int) -> RedirectRule.Verdict {
            RedirectRule.verdict(
                on: .temporaryRedirect, location: location, method: .GET, at: address, followed: followed, most: most)
        }
        for location in ["/other", "https://login.example/"] {
            #expect(verdict(location, followed: 0, most: 0) == .answer)
        }
        #expect(verdict("/a", followed: 2, most: 3) == .follow(try #require(HTTPAddress("https://as.example/a"))))
        guard case .refuse(.redirectedTooOften(_, limit: 3)) = verdict("/a", followed: 3, most: 3) else {
            Issue.record("the fourth is followed")
            return
        }
    }

    @Test func `a Unix socket stays what it is`() throws {
        let address = try #require(HTTPAddress(socket: "/run/a b/http.sock", target: "/mcp"))
        func verdict(_ location: String) -> RedirectRule.Verdict {
            RedirectRule.verdict(on: .temporaryRedirect, location: location, method: .POST, at: address, followed: 0)
        }
        let other = try #require(HTTPAddress(socket: "/run/a b/http.sock", target: "/other"))
        #expect(verdict("/other") == .follow(other))
        for location in ["http://localhost/mcp", "http+unix://%2Ftmp%2Fx/mcp"] {
            guard case .refuse(.redirectedAway) = verdict(location) else {
                Issue.record("\(location)")
                continue
            }
        }
    }

    @Test func `without a place to go to it is an answer`() throws {
        #expect(try self.verdict(307, nil) == .answer)
        #expect(try self.verdict(304, "/a") == .answer)
        #expect(try self.verdict(200, "/a") == .answer)
    }
}

@Suite("HTTP addresses") struct HTTPAddressTests {
    @Test(arguments: [
        "", "nonsense", "http://", "http:///mcp", "ftp://example.org/", "http+unix://%2Ftmp/", "/mcp", "://",
    ])
    func `what is no http URL with a host is none`(text: String) {
        #expect(HTTPAddress(text) == nil)
    }

    @Test func `a description holds no secret`() throws {
        #expect(HTTPAddress("https://me:secret@Example.org/mcp?key=secret")?.description == "https://example.org/mcp")
        #expect(HTTPAddress("http://127.0.0.1:8769/mcp")?.description == "http://127.0.0.1:8769/mcp")
        #expect(HTTPAddress("http://[::1]:80/")?.description.hasSuffix("::1]/") == true)
        #expect(HTTPAddress(socket: "/run/x y", target: "/mcp")?.description == "/run/x y")
    }
}
