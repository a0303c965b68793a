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
