import BridgeMCP
import BridgeTesting
import Testing

@Suite("Whose a resource is") struct ResourceOwnersTests {
    private func server(
        _ templates: [String] = [], allow: [String]? = nil, deny: [String] = [], hasResources: Bool = true
    ) -> ResourceOwners.Server {
        .init(hasResources: hasResources, filter: NameFilter(allow: allow, deny: deny), templates: templates)
    }

    @Test func `a list says it first, then results, then templates from the longest beginning on`() {
        let owners = ResourceOwners([
            self.server(["{+any}"]), self.server(["file:///{+path}"]), self.server(["file:///logs/{day}"]),
            self.server(),
        ])
        #expect(owners.candidates(for: "file:///logs/1", listed: nil, handedOut: nil) == [2, 1, 0])
        #expect(owners.candidates(for: "file:///logs/1", listed: 1, handedOut: 3) == [1, 3, 2, 0])
        #expect(owners.candidates(for: "file:///logs/1", listed: 0, handedOut: 0) == [0, 2, 1])
    }

    @Test func `servers that are not seen are not asked, and stand in nobody's way`() {
        let owners = ResourceOwners([self.server(["a:{x}"]), self.server(["a:{x}"])])
        #expect(owners.candidates(for: "a:1", listed: 0, handedOut: 0) { $0 == 1 } == [1])
        #expect(owners.candidates(for: "b:1", listed: nil, handedOut: nil) { $0 == 1 } == [], "it may be the other's")
    }

    @Test func `the only server with resources is asked for what nobody lists`() {
        let owners = ResourceOwners([self.server(hasResources: false), self.server(["a:{x}"])])
        #expect(owners.candidates(for: "b:1", listed: nil, handedOut: nil) == [1])
        let several = ResourceOwners([self.server(), self.server()])
        #expect(several.candidates(for: "b:1", listed: nil, handedOut: nil) == [])
        #expect(ResourceOwners([]).candidates(for: "b:1", listed: nil, handedOut: nil) == [])
    }

    @Test(arguments: [
        "file:///etc/passwd", "FILE:///etc/passwd", "file:///etc/%70asswd", "file:///srv/../etc/passwd",
        "file:///srv/%2e%2e/etc/passwd", "file:///etc/./passwd", "file:/etc/passwd", "file://localhost/etc/passwd",
        "file:////etc/passwd", "file:///srv%2F..%2Fetc/passwd", "file:///srv%5c..%5Cetc/passwd",
        "file:///%2Fetc/passwd",
        "file:///.//etc/passwd", "file:///etc//passwd", "file:///etc/passwd?x", "file:///etc/passwd#x",
        "file://elsewhere/etc/passwd", "file:///srv///../../etc/passwd", "file:///srv/a/b%2F..%2F../../etc/passwd",
        "file:///srv\\..\\etc", "no uri",
    ])
    func `what is kept back stays so in every spelling and by every way`(_ uri: String) {
        let owners = ResourceOwners([self.server(["file:///{+path}"], deny: ["file:///etc/*"])])
        #expect(owners.candidates(for: uri, listed: 0, handedOut: 0) == [])
        let allowed = ResourceOwners([self.server(["file:///{+path}"], allow: ["file:///srv/*"])])
        #expect(allowed.candidates(for: uri, listed: 0, handedOut: 0) == [])
        #expect(allowed.candidates(for: "file:///srv/a", listed: nil, handedOut: nil) == [0])
    }

    @Test func `a pattern without a scheme is spelled alike, too`() {
        let owners = ResourceOwners([self.server(["file:///{+path}"], deny: ["*/private notes/*", "*ä*"])])
        #expect(owners.candidates(for: "file:///a/private notes/x", listed: 0, handedOut: nil) == [])
        #expect(owners.candidates(for: "file:///a/private%20notes/x", listed: 0, handedOut: nil) == [])
        #expect(owners.candidates(for: "file:///%C3%A4", listed: 0, handedOut: nil) == [])
        #expect(owners.candidates(for: "file:///a/notes/x", listed: 0, handedOut: nil) == [0])
    }

    @Test func `templates that cost too much are not looked at`() {
        let costly = "{+a}" + String(repeating: "a", count: 4_096)
        let owners = ResourceOwners([self.server([costly, "x:{y}"]), self.server([])])
        #expect(owners.candidates(for: String(repeating: "a", count: 8_192), listed: nil, handedOut: nil) == [])
        #expect(owners.candidates(for: "x:1", listed: nil, handedOut: nil) == [0])
    }

    @Test func `what only a kept back template tells of is not guessed`() {
        let owners = ResourceOwners([self.server(["db://{table}", "file:///{x}"], deny: ["db://{table}"])])
        #expect(owners.candidates(for: "db://users", listed: nil, handedOut: nil) == [])
        #expect(owners.candidates(for: "file:///a", listed: nil, handedOut: nil) == [0])
        #expect(owners.owners(ofTemplate: "db://{table}") == [])
        #expect(owners.owners(ofTemplate: "file:///{x}") == [0])
    }

    @Test func `a template has all the servers that show it, by its exact text`() {
        let owners = ResourceOwners([
            self.server(["a:{x}", "a:{y}", "a:{x}"]), self.server(["a:{x}"], deny: ["a:{x}"]), self.server(["a:{x}"]),
        ])
        #expect(owners.owners(ofTemplate: "a:{x}") == [0, 2])
        #expect(owners.owners(ofTemplate: "a:{y}") == [0])
        #expect(owners.owners(ofTemplate: "A:{x}") == [])
    }

    /// Whatever servers list and filters keep back: each candidate once, none that may not, and in the order that is said.
    @Test(arguments: 0..<4)
    func `of any servers, the candidates are in their order, and none is kept back`(seed: UInt64) {
        let templates = ["a:{x}", "a:b{x}", "{+any}", "a:b/{x}", "c:{+x}", "{", "a:b", "a:{x}/{y}"]
        let patterns = ["a:*", "a:b", "*", "c:?", "a:{x}", "A:%62*"]
        Fuzz.cases(1_500, seed: seed) { random, name in
            let some = { (texts: [String], random: inout SeededRandom) in
                texts.filter { _ in Int.random(in: 0..<4, using: &random) == 0 }
            }
            let servers = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                self.server(
                    some(templates, &random), allow: Int.random(in: 0..<5, using: &random) == 0 ? ["a:*"] : nil,
                    deny: Int.random(in: 0..<3, using: &random) == 0 ? some(patterns, &random) : [],
                    hasResources: Bool.random(using: &random))
            }
            let owners = ResourceOwners(servers)
            let uri = Fuzz.text(of: ["a:", "b", "c:", "/", "x", "%62", "A"], 1...4, &random)
            let anybody = { (random: inout SeededRandom) in
                Bool.random(using: &random) ? Int.random(in: -1...4, using: &random) : nil
            }
            let (listed, handedOut) = (anybody(&random), anybody(&random))
            let found = owners.candidates(for: uri, listed: listed, handedOut: handedOut)
            #expect(Set(found).count == found.count, "\(name)")
            #expect(found.allSatisfy { servers.indices.contains($0) && servers[$0].filter.admits(uri: uri) }, "\(name)")
            // The oracle: each by the best reason there is for it.
            let shown = servers.indices.filter { servers[$0].filter.admits(uri: uri) }
            let best = { (server: Int) -> Int in
                servers[server].templates.compactMap { text -> Int? in
                    guard let template = URITemplate(text), template.matches(uri),
                        servers[server].filter.deny.isEmpty || !self.isDenied(text, servers[server].filter)
                    else { return nil }
                    return template.literalPrefix
                }.max() ?? -1
            }
            var wanted = [listed, handedOut].compactMap { $0 }.filter(shown.contains)
            if wanted.count == 2, wanted[0] == wanted[1] { wanted.removeLast() }
            wanted += shown.filter { !wanted.contains($0) && best($0) >= 0 }.sorted {
                best($0) == best($1) ? $0 < $1 : best($0) > best($1)
            }
            if !wanted.isEmpty {
                #expect(found == wanted, "\(uri) \(name)")
            } else {
                #expect(found.count <= 1, "\(name)")
            }
        }
    }

    private func isDenied(_ template: String, _ filter: NameFilter) -> Bool {
        !NameFilter(deny: filter.deny).admits(template: template)
    }

    @Test func `a filter that hides the first one's resource gives the URI to the second`() {
        let owners = ResourceOwners([self.server(["a:{x}"], deny: ["a:*"]), self.server(["a:{x}"])])
        #expect(owners.candidates(for: "a:1", listed: nil, handedOut: nil) == [1])
    }
}

@Suite("URIs that results have named") struct HandedOutURIsTests {
    @Test func `each session knows what it was given, and no other does`() {
        var uris = HandedOutURIs()
        uris.note("a:1", in: 1, by: "x")
        uris.note("a:1", in: 2, by: "y")
        #expect(uris.server(of: "a:1", in: 1) == "x")
        #expect(uris.server(of: "a:1", in: 2) == "y")
        #expect(uris.server(of: "a:1", in: 3) == nil)
        uris.forget(session: 1)
        #expect(uris.server(of: "a:1", in: 1) == nil)
        #expect(uris.server(of: "a:1", in: 2) == "y")
    }

    @Test func `the newest are kept, of each session and of all`() {
        var random = SeededRandom(seed: 11)
        var uris = HandedOutURIs(maximum: 100, maximumOfSession: 20)
        var noted: [UInt64: [String]] = [:]
        for _ in 0..<20_000 {
            let session = UInt64.random(in: 0..<5, using: &random)
            let uri = "a:\(Int.random(in: 0..<60, using: &random))"
            uris.note(uri, in: session, by: "s\(session)")
            noted[session, default: []].removeAll { $0 == uri }
            noted[session, default: []].append(uri)
            #expect(uris.count <= 100)
            for recent in noted[session]?.suffix(10) ?? [] {
                #expect(uris.server(of: recent, in: session) == "s\(session)")
            }
            if Int.random(in: 0..<500, using: &random) == 0 {
                uris.forget(session: session)
                noted[session] = nil
                #expect(uris.server(of: uri, in: session) == nil)
            }
        }
    }

    @Test func `the session that was given none for the longest time goes first`() {
        var uris = HandedOutURIs(maximum: 4, maximumOfSession: 4)
        uris.note("a:1", in: 1, by: "x")
        uris.note("a:2", in: 2, by: "x")
        uris.note("a:3", in: 1, by: "x")
        uris.note("a:4", in: 3, by: "x")
        uris.note("a:5", in: 3, by: "x")
        #expect(uris.server(of: "a:2", in: 2) == nil)
        #expect(uris.server(of: "a:1", in: 1) == "x")
        #expect(uris.server(of: "a:5", in: 3) == "x")
        // However small the bound, what was named last is known.
        #expect(uris.count == 4)
    }
}
