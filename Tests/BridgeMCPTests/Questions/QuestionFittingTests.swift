import BridgeCore
import NIOCore
import Testing

@testable import BridgeMCP

@Suite("Questions are fitted") struct QuestionFittingTests {
    private func verdict(
        _ method: String, _ params: String, to revision: ProtocolRevision = .v2025_11_25,
        _ capabilities: SessionClaims.Capabilities = [
            .sampling, .samplingTools, .elicitationForm, .elicitationURL, .roots,
        ]
    ) throws -> QuestionFitting.Verdict {
        let text = #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#
        let question = try RPCMessage(JSONText(validating: ByteBuffer(string: text)))
        return QuestionFitting.verdict(on: question, to: revision, capabilities)
    }

    private let sampling = #"{"messages":[{"role":"user","content":{"type":"text","text":"?"}}],"maxTokens":1}"#

    @Test func `what a client declared it is asked as it stands`() throws {
        #expect(try self.verdict("sampling/createMessage", self.sampling) == .ask([]))
        #expect(try self.verdict("sampling/createMessage", #"{"messages":[],"tools":[]}"#) == .ask([]))
        #expect(try self.verdict("elicitation/create", #"{"message":"?","requestedSchema":{}}"#) == .ask([]))
        #expect(try self.verdict("elicitation/create", #"{"mode":"url","url":"https://example.com"}"#) == .ask([]))
        #expect(try self.verdict("roots/list", "{}") == .ask([]))
    }

    @Test func `what a client did not declare it is not asked`() throws {
        for method in ["sampling/createMessage", "elicitation/create", "roots/list", "tasks/get"] {
            #expect(try self.verdict(method, "{}", []) == .decline)
        }
        #expect(try self.verdict("elicitation/create", #"{"mode":"url"}"#, [.elicitationForm]) == .decline)
        #expect(try self.verdict("elicitation/create", "{}", [.elicitationURL]) == .decline)
    }

    @Test(arguments: [ProtocolRevision.v2024_11_05, .v2025_03_26])
    func `revisions without elicitation are not asked for any`(_ revision: ProtocolRevision) throws {
        #expect(try self.verdict("elicitation/create", "{}", to: revision) == .decline)
    }

    @Test func `pages came with 2025-11-25`() throws {
        #expect(try self.verdict("elicitation/create", #"{"mode":"url"}"#, to: .v2025_06_18) == .decline)
    }

    @Test(arguments: [#""tools":[]"#, #""toolChoice":{}"#])
    func `tools need the capability for tools`(_ member: String) throws {
        guard case .refuse = try self.verdict("sampling/createMessage", "{\(member)}", [.sampling]) else {
            Issue.record("\(member) was passed on")
            return
        }
    }

    @Test func `an older client gets one block of content, or none`() throws {
        let one = #"{"messages":[{"role":"user","content":[{"type":"text","text":"?"}]}]}"#
        guard case .ask(let edits) = try self.verdict("sampling/createMessage", one, to: .v2025_06_18, [.sampling])
        else {
            Issue.record("one block was refused")
            return
        }
        #expect(edits.map { String(buffer: $0.replacement) } == [#"{"type":"text","text":"?"}"#])
        let two = #"{"messages":[{"role":"user","content":[{"type":"text"},{"type":"text"}]}]}"#
        guard case .refuse = try self.verdict("sampling/createMessage", two, to: .v2025_06_18, [.sampling]) else {
            Issue.record("two blocks were passed on")
            return
        }
    }

    @Test(arguments: ["tool_use", "tool_result", "audio", "vendor"])
    func `an older client is not shown what its revision does not know`(_ kind: String) throws {
        let params = #"{"messages":[{"role":"user","content":{"type":"\#(kind)"}}]}"#
        let verdict = try self.verdict("sampling/createMessage", params, to: .v2024_11_05, [.sampling])
        guard case .refuse(let reason) = verdict else {
            Issue.record("\(kind) was passed on")
            return
        }
        #expect(reason.contains(kind))
        #expect(try self.verdict("sampling/createMessage", params) == .ask([]))
    }

    /// What servers say of a field, what 2025-06-18 has for that, and what 2025-11-25 has; the same where there is none.
    private static let fields: [(said: String, older: String?, newer: String?)] = [
        (#"{"type":"string","title":"T"}"#, nil, nil),
        (
            #"{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"T"}"#,
            #"{"title":"T","type":"string"}"#, #"{"title":"T","type":"string"}"#
        ),
        (
            #"{"anyOf":[{"type":"integer","minimum":1},{"type":"null"}],"default":3}"#,
            #"{"default":3,"type":"integer","minimum":1}"#, #"{"default":3,"type":"integer","minimum":1}"#
        ),
        (#"{"anyOf":[{"type":"integer"},{"type":"string"}]}"#, #"{"type":"string"}"#, #"{"type":"string"}"#),
        (#"{"anyOf":[{"type":"integer"},{"type":"number"}]}"#, #"{"type":"number"}"#, #"{"type":"number"}"#),
        (
            #"{"anyOf":[{"type":"string","enum":["a","b"]},{"type":"null"}]}"#, #"{"type":"string","enum":["a","b"]}"#,
            #"{"type":"string","enum":["a","b"]}"#
        ),
        (#"{"type":["null","boolean"],"default":null}"#, #"{"type":"boolean"}"#, #"{"type":"boolean"}"#),
        (#"{"type":"number","default":null}"#, #"{"type":"number"}"#, #"{"type":"number"}"#),
        (
            #"{"type":"string","oneOf":[{"const":"a","title":"A"},{"const":"b","title":"B"}]}"#,
            #"{"type":"string","enum":["a","b"],"enumNames":["A","B"]}"#, nil
        ),
        (
            #"{"anyOf":[{"const":"a"},{"const":"b","title":"B"},{"type":"null"}],"default":"a"}"#,
            #"{"type":"string","default":"a","enum":["a","b"],"enumNames":["a","B"]}"#,
            #"{"type":"string","default":"a","oneOf":[{"const":"a","title":"a"},{"const":"b","title":"B"}]}"#
        ),
        (#"{"anyOf":[]}"#, nil, nil), (#"{"anyOf":[{"type":"null"}]}"#, nil, nil), (#"{"oneOf":7}"#, nil, nil),
    ]

    @Test(arguments: Self.fields, [ProtocolRevision.v2025_06_18, .v2025_11_25])
    func `a field has one kind of value, and is said as the client's revision says it`(
        _ field: (said: String, older: String?, newer: String?), _ revision: ProtocolRevision
    ) throws {
        let params = #"{"message":"?","requestedSchema":{"type":"object","properties":{"x":\#(field.said)}}}"#
        guard case .ask(let edits) = try self.verdict("elicitation/create", params, to: revision) else {
            Issue.record("it was not asked")
            return
        }
        let expected = revision < .v2025_11_25 ? field.older : field.newer
        #expect(edits.map { String(buffer: $0.replacement) } == [expected].compactMap(\.self))
    }

    @Test func `several choices at once are not asked of 2025-06-18, optional or not`() throws {
        let choices = #"{"type":"array","items":{"type":"string","enum":["a"]}}"#
        for field in [choices, #"{"anyOf":[\#(choices),{"type":"null"}]}"#] {
            let params = #"{"message":"?","requestedSchema":{"type":"object","properties":{"x":\#(field)}}}"#
            guard case .refuse = try self.verdict("elicitation/create", params, to: .v2025_06_18) else {
                Issue.record("\(field) was passed on")
                return
            }
        }
    }

    @Test func `whatever stands in a question, judging it does no harm`() throws {
        let values = ["null", "7", #""x""#, "[]", "{}", "[[]]", #"{"properties":[]}"#, #"{"properties":{"x":7}}"#]
        for revision in [ProtocolRevision.v2024_11_05, .v2025_03_26, .v2025_06_18, .v2025_11_25] {
            for value in values {
                for key in ["messages", "requestedSchema", "mode", "tools"] {
                    _ = try self.verdict("sampling/createMessage", #"{"\#(key)":\#(value)}"#, to: revision, [.sampling])
                    _ = try self.verdict("elicitation/create", #"{"\#(key)":\#(value)}"#, to: revision)
                }
            }
        }
    }
}

@Suite("Pages that servers want opened") struct ElicitationBookTests {
    @Test func `are told to one session, under an id that two servers may share`() {
        var book = ElicitationBook()
        let first = book.note("1", of: "a", in: 7)
        let second = book.note("1", of: "b", in: 8)
        #expect(first != nil && first != second)
        #expect(book.note("1", of: "a", in: 7) == first, "the same page is the same")
        #expect(book.done("1", of: "b")?.session == 8)
        #expect(book.done("1", of: "b") == nil, "it is done once")
        #expect(book.done("1", of: "a")?.ownID == first)
        #expect(book.done("2", of: "a") == nil)
    }

    @Test func `are bounded`() {
        var book = ElicitationBook()
        for id in 0..<5_000 { _ = book.note("\(id)", of: "a", in: 1) }
        #expect(book.done("0", of: "a") == nil)
        #expect(book.done("4999", of: "a") != nil)
        #expect(book.note(String(repeating: "x", count: 1_025), of: "a", in: 1) == nil)
    }

    @Test func `are told in words where the revision has no code for them`() throws {
        let error =
            #"{"jsonrpc":"2.0","id":1,"error":{"code":-32042,"message":"First","data":{"elicitations":[{"url":"https://a.example","elicitationId":"1"}]}}}"#
        let fitted = RequiredElicitations.fitted(ByteBuffer(string: error), to: .v2025_06_18) { _ in "own" }
        let told = JSONText(trusting: try #require(fitted)).value("error")
        #expect(told?.int("code") == -32603)
        #expect(told?.string("message") == "First. Please open https://a.example, then try again.")
        let passed = RequiredElicitations.fitted(ByteBuffer(string: error), to: .v2025_11_25) { _ in "own" }
        #expect(
            String(buffer: try #require(passed))
                == error.replacing(#""elicitationId":"1""#, with: #""elicitationId":"own""#))
        let other = ByteBuffer(string: #"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"x"}}"#)
        #expect(RequiredElicitations.fitted(other, to: .v2025_06_18) { _ in nil } == nil)
    }
}
