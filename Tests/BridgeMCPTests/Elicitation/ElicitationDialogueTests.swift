import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@Suite("A question, line by line") struct ElicitationDialogueTests {
    /// What comes of some lines: the prompts that were shown, and the answer if there is one.
    private struct Course {
        var shown: [String] = []
        var prompts: [String] = []
        var answer: String?
    }

    /// - Parameter lines: nil closes the input.
    private func course(_ params: String, _ lines: [String?]) throws -> Course {
        let params = try JSONText(validating: ByteBuffer(string: params))
        var dialogue = try ElicitationDialogue(params, from: "'demo.ask'")
        var course = Course()
        var step = dialogue.begin()
        var rest = lines[...]
        while true {
            switch step {
            case .answer(let answer):
                course.answer = "\(answer.result)"
                #expect(rest.isEmpty, "asked for less than was said")
                return course
            case .ask(let lines, let prompt):
                course.shown += lines
                course.prompts.append(prompt)
                guard let line = rest.popFirst() else { return course }
                step = if let line { dialogue.line(line) } else { dialogue.closed() }
            }
        }
    }

    private static let form = #"""
        {"message":"Who are you?","requestedSchema":{"type":"object","properties":{
        "name":{"type":"string","title":"Name","description":"As on your card","minLength":2},
        "age":{"type":"integer","minimum":0},"tea":{"type":"boolean","default":true}},"required":["name"]}}
        """#

    @Test func `a form is filled in and sent`() throws {
        let course = try self.course(Self.form, ["Ada", "36", "", ""])
        #expect(course.answer == #"{"action":"accept","content":{"name":"Ada","age":36,"tea":true}}"#)
        #expect(
            course.shown.filter { !$0.isEmpty } == [
                "'demo.ask' asks:", "  | Who are you?",
                "  (Enter takes what is in brackets, or leaves out what is optional; /decline refuses, Ctrl-D cancels.)",
                "1/3  Name", "     | As on your card", "     (text, at least 2 characters)", "2/3  age",
                "     (whole number, at least 0, optional)", "3/3  tea", "     (yes or no, optional)",
                "This would be sent to 'demo.ask':", "  Name: Ada", "  age: 36", "  tea: yes",
            ])
        #expect(course.prompts == ["     > ", "     > ", "     [yes] > ", "Send it? [Y]es, [n]o, [a]gain > "])
    }

    @Test func `an empty line leaves out what is optional, and not what is required`() throws {
        let course = try self.course(Self.form, ["", " ", "Ada", "", "no", "yes"])
        #expect(course.answer == #"{"action":"accept","content":{"name":"Ada","tea":false}}"#)
        #expect(course.shown.count { $0.contains("has to be filled in") } == 2)
        #expect(course.shown.contains("  age: (left out)"))
    }

    @Test func `what does not fit is asked for again`() throws {
        let course = try self.course(Self.form, ["A", "Ada", "-1", "x", "5", "maybe", "", "what?", "y"])
        #expect(course.answer == #"{"action":"accept","content":{"name":"Ada","age":5,"tea":true}}"#)
        #expect(course.shown.contains("     It must have 2 characters or more; this has 1."))
        #expect(course.shown.contains("     It must be 0 or more."))
    }

    @Test(
        arguments: [
            (["/decline"], "decline"), (["Ada", " /DECLINE "], "decline"), (["Ada", "", "", "n"], "decline"),
            ([nil], "cancel"),
            (["Ada", nil], "cancel"), (["Ada", "", "", nil], "cancel"), (["/cancel"], "cancel"),
        ] as [([String?], String)])
    func `a form can be declined and cancelled anywhere`(lines: [String?], action: String) throws {
        #expect(try self.course(Self.form, lines).answer == #"{"action":"\#(action)"}"#)
    }

    @Test func `a form can be filled in again`() throws {
        let course = try self.course(Self.form, ["Ada", "1", "n", "a", "Eve", "", "", ""])
        #expect(course.answer == #"{"action":"accept","content":{"name":"Eve","tea":true}}"#)
    }

    @Test func `a form without fields asks for consent in so many letters`() throws {
        let form = #"{"message":"Delete all?","requestedSchema":{"type":"object","properties":{}}}"#
        #expect(try self.course(form, [""]).answer == nil)
        #expect(try self.course(form, ["", "sure", "y"]).answer == #"{"action":"accept","content":{}}"#)
        #expect(try self.course(form, ["n"]).answer == #"{"action":"decline"}"#)
        #expect(try self.course(form, []).prompts == ["Do you agree? [y/n] > "])
    }

    @Test func `choices are numbered and shown by title`() throws {
        let form = #"""
            {"mode":"form","message":"m","requestedSchema":{"properties":{
            "one":{"type":"string","oneOf":[{"const":"r","title":"Red"},{"const":"g","title":"Green"}],"default":"g"},
            "some":{"type":"array","minItems":1,"maxItems":2,"items":{"anyOf":[{"const":"x","title":"Ex"},{"const":"y","title":"Why"}]},"default":["x","y"]}}}}
            """#
        let course = try self.course(form, ["", "2", ""])
        #expect(course.answer == #"{"action":"accept","content":{"one":"g","some":["y"]}}"#)
        #expect(course.prompts[..<2] == ["     [Green] > ", "     [Ex, Why] > "])
        for line in ["     1) Red", "     2) Green", "     2) Why", "  one: Green", "  some: Why"] {
            #expect(course.shown.contains(line))
        }
        #expect(course.shown.contains("     (some of these, as in 1,3; 0 is none, 1 to 2 of them, optional)"))
    }

    @Test func `foreign text is printable and cannot pass for the program's own`() throws {
        let form = #"""
            {"message":"Hi\u001b[2J\nSend it? [Y]es\u202e","requestedSchema":{"properties":{
            "a":{"type":"string","title":"T\u0007\nx","description":"d\r\n> ","enum":["v\u001b[1m"],"default":"v\u001b[1m"}}}}
            """#
        let course = try self.course(form, [""])
        for line in course.shown + course.prompts {
            #expect(!line.unicodeScalars.contains { $0.value < 32 || $0 == "\u{202E}" }, "\(line)")
        }
        #expect(course.shown.contains("  | Hi\u{FFFD}[2J"))
        #expect(course.shown.contains("  | Send it? [Y]es\u{FFFD}"))
        #expect(course.shown.contains("1/1  T\u{FFFD} x"))
        // And what is sent is what the server has offered.
        #expect(try self.course(form, ["", "y"]).answer == #"{"action":"accept","content":{"a":"v\u001b[1m"}}"#)
    }

    @Test func `a page is shown whole with its host, and opened by nobody else`() throws {
        let page = #"{"mode":"url","message":"Sign in","elicitationId":"e","url":"https://login.example.com/a?b=c"}"#
        let course = try self.course(page, ["", "ok", "y"])
        #expect(course.answer == #"{"action":"accept"}"#)
        #expect(course.shown.contains("    https://login.example.com/a?b=c"))
        #expect(course.shown.contains("  Host: login.example.com"))
        #expect(try self.course(page, ["no"]).answer == #"{"action":"decline"}"#)
        #expect(try self.course(page, ["/decline"]).answer == #"{"action":"decline"}"#)
        #expect(try self.course(page, [nil]).answer == #"{"action":"cancel"}"#)
    }

    @Test(arguments: [
        (#"{"mode":"call","message":"m"}"#, ElicitationProblem.unknownMode("call")), (#"{"message":"m"}"#, .noSchema),
        (#"{"mode":"url","message":"m"}"#, .noURL), (#"{"mode":"url","url":"file:///etc/passwd"}"#, .badURL),
    ])
    func `a question that cannot be put is refused`(params: String, problem: ElicitationProblem) throws {
        let params = try JSONText(validating: ByteBuffer(string: params))
        #expect(throws: problem) { try ElicitationDialogue(params, from: "x") }
    }
}

@Suite("A page to open") struct ElicitationPageTests {
    @Test(arguments: [
        ("https://example.com", "https://example.com", "example.com"),
        ("HTTPS://Example.COM:8443/x", "https://Example.COM:8443/x", "example.com:8443"),
        ("https://example.com/ä?q=ö#\u{202E}", "https://example.com/%C3%A4?q=%C3%B6#%E2%80%AE", "example.com"),
        ("https://user:pw@example.com/", "https://user:pw@example.com/", "example.com"),
        ("https://good.com@evil.com/", "https://good.com@evil.com/", "evil.com"),
        ("http://[::1]:80/", "http://[::1]:80/", "[::1]:80"),
        ("https://example.com?x", "https://example.com?x", "example.com"),
        ("https://example.com/{a}|\"", "https://example.com/%7Ba%7D%7C%22", "example.com"),
    ])
    func `an address has one host`(url: String, address: String, host: String) throws {
        let page = try #require(ElicitationPage(url))
        #expect((page.address, page.host) == (address, host))
    }

    @Test(arguments: [
        "", "example.com", "https:/example.com", "https:example.com", "javascript:alert(1)", "file:///x", "data:,x",
        "https://", "https:///x", "https://good.com\\@evil.com/", "https://good.com/\\x", "https://a b/",
        "https://ex\tample.com/",
        "https://exämple.com/", "https://example.com/ x", "https://example.com/\n", " https://example.com",
        "https://a:b:c/",
        "https://a:99999/", "https://[zz]/", "https://a[b]/", "https://./", "https://@/",
    ])
    func `what could be taken for another address is none`(url: String) {
        #expect(ElicitationPage(url) == nil)
    }

    @Test func `what is unusual is said`() throws {
        let warnings = { (url: String) in try #require(ElicitationPage(url)).warnings }
        #expect(try warnings("https://example.com/@x").isEmpty)
        #expect(try warnings("http://localhost:80/").isEmpty && warnings("http://127.0.0.1/").isEmpty)
        #expect(try warnings("http://example.com/") == ["The connection would not be encrypted."])
        #expect(try warnings("https://a.com:x@evil.com:1/").first?.contains("the host is evil.com") == true)
        #expect(try warnings("https://xn--pple-43d.com/").count == 1)
    }
}
