import BridgeTesting
import Testing

@testable import BridgeMCP

@Suite("URI templates") struct URITemplateTests {
    @Test(arguments: [
        ("file:///{path}", "file:///a", true),
        ("file:///{path}", "file:///a/b", false),
        ("file:///{path}", "file:///", false),
        ("file:///{path*}", "file:///a/b/c", true),
        ("file:///{+path}", "file:///a/b/c?x#y", true),
        ("file:///{+path}", "file:///", true),
        ("db://{table}/rows/{id}", "db://users/rows/7", true),
        ("db://{table}/rows/{id}", "db://users/rows/7/8", false),
        ("db://{table}/rows/{id}", "db://users/columns/7", false),
        ("search://x{?q,limit}", "search://x", true),
        ("search://x{?q,limit}", "search://x?q=a/b&limit=3", true),
        ("search://x{?q,limit}", "search://y?q=a", false),
        ("a:{x}{y}", "a:12", true),
        ("a:{x}-{y}", "a:1-2-3", true),
        ("a:b", "a:b", true),
        ("a:b", "a:bc", false),
        ("{+any}", "whatever:x", true),
        ("img://{name}{.ext}", "img://cat.png", true),
        ("site://{host}{/path*}", "site://h/a/b", true),
    ])
    func `a template matches what may have been made from it`(_ template: String, _ uri: String, _ wanted: Bool) throws
    {
        #expect(try #require(URITemplate(template)).matches(uri) == wanted)
    }

    @Test(arguments: ["{", "}", "a{", "a{}", "a}b", "{{x}}", "{+}", "{?}"])
    func `a brace alone makes no template`(_ text: String) { #expect(URITemplate(text) == nil) }

    @Test func `what stands first decides`() throws {
        #expect(try #require(URITemplate("file:///logs/{day}")).literalPrefix == 13)
        #expect(try #require(URITemplate("{+any}")).literalPrefix == 0)
    }

    /// What an expander makes of a template is found again, whatever the values are.
    @Test(arguments: 0..<4)
    func `an expanded template is its own`(seed: UInt64) throws {
        try Fuzz.cases(1_500, seed: seed) { (random: inout SeededRandom, name: String) throws in
            // An expression without an operator stands for something; with one it may stand for nothing.
            let isSimple = Bool.random(using: &random)
            let marks = isSimple ? URITemplateOracle.marks : Array(URITemplateOracle.marks.dropFirst())
            let parts = URITemplateOracle.parts(&random, marks: marks)
            var values = URITemplateOracle.values(parts, &random, mayBeEmpty: !isSimple)
            if !isSimple { values = values.filter { _ in Int.random(in: 0..<4, using: &random) > 0 } }
            let text = parts.map(\.text).joined()
            let uri = URITemplateOracle.expand(parts, values)
            let template = try #require(URITemplate(text), "\(name)")
            #expect(template.matches(uri), "\(text) \(uri) \(name)")
        }
    }

    /// A matcher that tries everything comes to the same.
    @Test(arguments: 10..<14)
    func `a match is what trying everything finds`(seed: UInt64) throws {
        var matched = 0
        try Fuzz.cases(1_500, seed: seed) { (random: inout SeededRandom, name: String) throws in
            let parts = URITemplateOracle.parts(&random, upTo: 4)
            let text = parts.map(\.text).joined()
            let template = try #require(URITemplate(text), "\(name)")
            var uris = (0..<3).map { _ in
                Fuzz.text(of: ["a", "b", "/", "?", "#", "-", "x", "://", "é", "%41", "."], 0...5, &random)
            }
            // Close to what it makes: its own words, with something taken out, put in or changed.
            let made = URITemplateOracle.expand(parts, URITemplateOracle.values(parts, &random, mayBeEmpty: true))
            if made.utf8.count < 40 {
                uris.append(made)
                var near = Array(made)
                if let index = near.indices.randomElement(using: &random) {
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: near.remove(at: index)
                    case 1: near.insert("/", at: index)
                    default: near[index] = "a"
                    }
                }
                uris.append(String(near))
            }
            for uri in uris {
                let isMatch = template.matches(uri)
                #expect(
                    isMatch == URITemplateOracle.matches(parts[...], uri[...].utf8), "\(text) \(uri) \(name)")
                if isMatch { matched += 1 }
            }
        }
        #expect(matched > 250, "the cases say something")
    }

    /// Foreign bytes do not matter: each template is one or is none, and a match ends.
    @Test(arguments: 20..<24)
    func `whatever is written, it ends, and costs no more than it says`(seed: UInt64) {
        let pieces = "{}+#/?&;.*,a%: \u{0}é\r".map { String($0) } + ["{x}", "{+y*}", "{/a,b:3}", "\u{301}", "💥"]
        Fuzz.cases(2_500, seed: seed) { random, name in
            let text = Fuzz.text(of: pieces, 0...40, &random)
            let uri = Fuzz.text(of: pieces, 0...40, &random)
            guard let template = URITemplate(text) else {
                // Without a brace everything is a template.
                #expect(text.utf8.contains { "{}".utf8.contains($0) }, "\(name)")
                return
            }
            let isMatch = template.matches(uri)
            if !text.utf8.contains(UInt8(ascii: "{")) {
                #expect(isMatch == text.utf8.elementsEqual(uri.utf8), "\(name)")
            }
            // What a match may cost grows with the template's length, and with nothing else.
            #expect(template.weight <= text.utf8.count + 1, "\(text) \(name)")
            #expect(template.literalPrefix <= text.utf8.count, "\(name)")
            if isMatch { #expect(uri.utf8.starts(with: text.utf8.prefix(template.literalPrefix)), "\(name)") }
        }
    }

    @Test func `what is too long is no template, and no URI of any`() throws {
        let stars = String(repeating: "{+a}x", count: 100)
        #expect(URITemplate(stars)?.matches(String(repeating: "x", count: 8_000) + "y") == false)
        #expect(URITemplate(String(repeating: "{+a}", count: 257)) == nil)
        #expect(URITemplate(String(repeating: "a", count: 8_193)) == nil)
        #expect(try #require(URITemplate("{+any}")).matches(String(repeating: "a", count: 8_192)))
        #expect(try !#require(URITemplate("{+any}")).matches(String(repeating: "a", count: 8_193)))
    }
}
