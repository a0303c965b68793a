import BridgeMCP
import BridgeTesting
import Testing

@Suite("URIs of resources, as filters compare them") struct ResourceURITests {
    @Test(arguments: [
        ("file:///a/b", "file:///a/b"),
        ("FILE://Host/a/b", "file://host/a/b"),
        ("http://User@EXAMPLE.com:80/A", "http://example.com/A"),
        ("https://example.com:443", "https://example.com/"),
        ("ftp://User@EXAMPLE.com:80/A", "ftp://User@example.com:80/A"),
        ("file:/a/b", "file:///a/b"), ("file://localhost/a", "file:///a"), ("file:////a//b", "file:///a//b"),
        ("file:///a/./b/../c", "file:///a/c"),
        ("file:///../../etc/passwd", "file:///etc/passwd"),
        ("file:///a/%2e%2E/c", "file:///c"),
        ("file:///%7euser/%2fx", "file:///~user/%2Fx"),
        ("file:///a/..", "file:///"),
        ("file:///a/.", "file:///a/"),
        ("file:///a//b/", "file:///a//b/"),
        ("memo:x/../secret", "memo:secret"),
        ("memo:insights", "memo:insights"),
        ("urn:isbn:0-395-36341-1", "urn:isbn:0-395-36341-1"),
        ("note://a?q=../x#%41", "note://a?q=../x#A"),
        ("ui://card/main.html", "ui://card/main.html"),
        ("file:///My Notes/ä", "file:///My%20Notes/%C3%A4"),
    ])
    func `a URI has one spelling`(_ uri: String, _ wanted: String) {
        #expect(ResourceURI.normalised(uri) == wanted)
    }

    /// A mark that joins the character before it makes another character, and no other byte.
    @Test(arguments: [
        ("file:///*", "file://\u{301}/etc/passwd"), ("file:///etc/*", "file://\u{301}/etc/passwd"),
        ("file:///a/*", "file:///a%2F\u{301}/../secret"), ("x://h\u{301}/*", "x://h\u{301}/a"),
    ])
    func `what is kept back stays so where characters join`(_ pattern: String, _ uri: String) {
        #expect(!NameFilter(deny: [pattern]).admits(uri: uri))
    }

    @Test(arguments: [
        "", "relative/path", "/etc/passwd", ":x", "1a:x", "file:///a%2", "file:///a%zz", "file:///a\\..\\b",
        "file:///a\u{0}", "file:///a\n", "f ile:///a",
    ])
    func `what is no URI has none`(_ uri: String) {
        #expect(ResourceURI.normalised(uri) == nil)
    }

    @Test(arguments: 0..<4)
    func `a second time changes nothing`(seed: UInt64) {
        Fuzz.cases(2_500, seed: seed) { random, name in
            let tail = Fuzz.text(of: "aB/.%2eE~?#:@-_*".map { String($0) }, 0...24, &random)
            let uri = "X-y:" + (Bool.random(using: &random) ? "//" : "") + tail
            guard let once = ResourceURI.normalised(uri) else { return }
            #expect(ResourceURI.normalised(once) == once, "\(uri) \(name)")
            let path = once.dropFirst(4).prefix { $0 != "?" && $0 != "#" }
            if !path.hasPrefix("//") { #expect(!path.split(separator: "/").contains(".."), "\(uri) \(name)") }
        }
    }

    /// A URI and the same one in other words: what RFC 3986, section 6.2.2, lets differ.
    private struct Pair {
        var plain = ""
        var other = ""

        init(_ random: inout SeededRandom) {
            let scheme = ["file", "note", "x+y.z-1"].randomElement(using: &random) ?? "x"
            self.add(scheme, scheme.map { Bool.random(using: &random) ? $0.uppercased() : String($0) }.joined())
            // Of a file neither host nor query count for a filter.
            let isFile = scheme == "file"
            let host = Fuzz.text(of: ["a", "b", "-", "7"], isFile ? 0...0 : 1...6, &random)
            self.add(
                "://" + host, "://" + host.map { Bool.random(using: &random) ? $0.uppercased() : String($0) }.joined())
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                self.add("/", "/")
                for _ in 0..<Int.random(in: 0..<3, using: &random) {
                    // Segments that lead nowhere.
                    self.add("", ["./", "%2e/", "q/../", "q/%2E./", "%71/.%2e/"].randomElement(using: &random) ?? "")
                }
                for _ in 0..<Int.random(in: 1...4, using: &random) { self.addCharacter(&random) }
            }
            if !isFile, Bool.random(using: &random) {
                self.add("?", "?")
                for _ in 0..<3 { self.addCharacter(&random) }
            }
        }

        private mutating func add(_ plain: String, _ other: String) {
            self.plain += plain
            self.other += other
        }

        /// One that may be escaped, one that has to be, or one that means something else when it is.
        private mutating func addCharacter(_ random: inout SeededRandom) {
            let unreserved = ["a", "Z", "0", "-", "_", "~"].randomElement(using: &random) ?? "a"
            let escape = unreserved.utf8.map { "%" + String($0, radix: 16) }.joined()
            switch Int.random(in: 0..<4, using: &random) {
            case 0: self.add(unreserved, escape)
            case 1: self.add(unreserved, escape.uppercased())
            case 2: self.add("%C3%A4", ["%c3%a4", "ä", "%C3%a4"].randomElement(using: &random) ?? "ä")
            default: self.add(unreserved, unreserved)
            }
        }
    }

    @Test(arguments: 0..<4)
    func `in other words it is the same, and no filter is got around by them`(seed: UInt64) {
        Fuzz.cases(1_000, seed: seed) { random, name in
            let pair = Pair(&random)
            let normalised = ResourceURI.normalised(pair.plain)
            #expect(normalised == pair.plain, "\(pair.plain) \(name)")
            #expect(ResourceURI.normalised(pair.other) == normalised, "\(pair.other) \(pair.plain) \(name)")
            // By a pattern in either spelling, and by one of which the end is open.
            for pattern in [pair.plain, pair.other.contains("/../") ? pair.plain : pair.plain.prefix(12) + "*"] {
                let denied = NameFilter(deny: [String(pattern)])
                #expect(!denied.admits(uri: pair.other), "\(pattern) \(pair.other) \(name)")
                #expect(!denied.admits(uri: pair.plain), "\(pattern) \(pair.plain) \(name)")
            }
            #expect(NameFilter(allow: [pair.plain]).admits(uri: pair.other), "\(pair.other) \(name)")
            // Another one is another one.
            let longer = pair.plain + "a"
            #expect(ResourceURI.normalised(longer) != normalised, "\(name)")
            #expect(!NameFilter(allow: [pair.plain]).admits(uri: longer), "\(longer) \(name)")
        }
    }

    /// Whatever stands there, it is a URI with one spelling or none, and a filter has a verdict.
    @Test(arguments: 10..<14)
    func `of foreign bytes nothing breaks, and what has no spelling is kept back`(seed: UInt64) {
        let pieces =
            "aZ%/.:?#@[]\\ \"<>^`{|}\u{0}\u{7f}\u{301}é💥".map { String($0) } + [
                "%2F", "%5c", "%zz", "..", "file://", "//",
            ]
        Fuzz.cases(2_500, seed: seed) { random, name in
            let uri = Fuzz.text(of: pieces, 0...20, &random)
            let pattern = Fuzz.text(of: pieces + ["*", "**"], 0...6, &random)
            #expect(NameFilter().admits(uri: uri))
            let isDenied = !NameFilter(deny: [pattern]).admits(uri: uri)
            let isAllowed = NameFilter(allow: [pattern]).admits(uri: uri)
            guard let normalised = ResourceURI.normalised(uri) else {
                #expect(isDenied && !isAllowed, "\(uri) \(pattern) \(name)")
                return
            }
            #expect(normalised.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }, "\(uri) \(name)")
            #expect(ResourceURI.normalised(normalised) == normalised, "\(uri) \(name)")
            // What is allowed by a pattern is denied by it as well.
            if isAllowed { #expect(isDenied, "\(uri) \(pattern) \(name)") }
            #expect(NameFilter(allow: ["*"]).admits(uri: uri) && !NameFilter(deny: ["*"]).admits(uri: uri), "\(name)")
        }
    }

    @Test(arguments: [
        ("FILE:///Etc/*", "file:///Etc/*"), ("http://EXAMPLE.com/%7ea?", "http://example.com/~a?"),
        ("*secret*", "*secret*"),
    ])
    func `patterns are spelled alike`(_ pattern: String, _ wanted: String) {
        #expect(ResourceURI.normalised(pattern: pattern) == wanted)
    }
}
