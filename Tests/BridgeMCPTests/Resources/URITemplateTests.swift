import BridgeMCP
import BridgeTesting
import Testing

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
    @Test func `an expanded template is its own`() throws {
        var random = SeededRandom(seed: 7)
        let literals = ["a:", "//", "x", "/rows/", "-", "?", "é"]
        let operators: [(String, (String) -> String)] = [
            ("", { $0 }), ("+", { $0 + "/" + $0 }), ("/", { "/" + $0 }), ("?", { "?v=" + $0 }), (".", { "." + $0 }),
        ]
        for _ in 0..<5_000 {
            var template = "s:"
            var uri = "s:"
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let literal = literals.randomElement(using: &random) ?? ""
                template += literal
                uri += literal
                guard let (mark, expand) = operators.randomElement(using: &random) else { continue }
                template += "{\(mark)v}"
                uri += expand(
                    String(
                        (0..<Int.random(in: 1...5, using: &random)).map { _ in
                            "abz09_%-".randomElement(using: &random) ?? "a"
                        }))
            }
            #expect(try #require(URITemplate(template)).matches(uri), "\(template) \(uri)")
        }
    }

    /// Foreign bytes do not matter: each template is one or is none, and a match ends.
    @Test func `whatever is written, it ends`() {
        var random = SeededRandom(seed: 3)
        let alphabet = Array("{}+#/?&;.*,a%: \u{0}é")
        for _ in 0..<20_000 {
            let text = { (random: inout SeededRandom) in
                String(
                    (0..<Int.random(in: 0...40, using: &random)).map { _ in
                        alphabet.randomElement(using: &random) ?? "a"
                    })
            }
            let template = text(&random)
            let uri = text(&random)
            guard let parsed = URITemplate(template) else { continue }
            let isMatch = parsed.matches(uri)
            if !template.contains("{") { #expect(isMatch == (template == uri)) }
        }
        let stars = String(repeating: "{+a}x", count: 100)
        #expect(URITemplate(stars)?.matches(String(repeating: "x", count: 8_000) + "y") == false)
    }
}
