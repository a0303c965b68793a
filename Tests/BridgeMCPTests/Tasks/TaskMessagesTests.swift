import BridgeCore
import NIOCore
import Testing

@testable import BridgeMCP

@Suite("Ids of tasks in messages") struct TaskMessagesTests {
    private static let relation = #""io.modelcontextprotocol/related-task""#

    private func mapped(_ message: String, _ ids: [String: String] = ["a": "s:A"]) -> String {
        String(buffer: TaskMessages.mapped(ByteBuffer(string: message)) { ids[$0] })
    }

    private func told(_ message: String, _ ids: [String: String] = ["a": "s:A"]) -> String {
        String(buffer: TaskMessages.told(ByteBuffer(string: message)) { ids[$0] })
    }

    /// Everywhere that MCP puts one; what stands around it is odd, and stays so.
    @Test(arguments: [
        #"{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"x":1.0,"taskId":"a" }}"#,
        #"{"jsonrpc":"2.0","id":1,"result":{"task":{"taskId":"a","status":"working","ttl":5},"a":[ ]}}"#,
        #"{"id":1,"result":{"status":"working","taskId": "a","ttl":1e3},"jsonrpc":"2.0"}"#,
        #"{"jsonrpc":"2.0","id":1,"result":{"tasks":[{"taskId":"a"},{"taskId":"a","ttl":1}],"nextCursor":""}}"#,
        #"{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"a","status":"failed"}}"#,
        #"{"jsonrpc":"2.0","id":1,"result":{"content":[],"_meta":{"v":-0,"io.modelcontextprotocol/related-task":{"taskId":"a"}}}}"#,
        #"{"jsonrpc":"2.0","id":9,"method":"elicitation/create","params":{"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"a"}},"message":"a"}}"#,
        #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"a","_meta":{"io.modelcontextprotocol/related-task":{"taskId":"a","k":"a"}},"progress":1}}"#,
    ])
    func `are others, and nothing else is`(message: String) {
        #expect(
            self.mapped(message)
                == message.replacing(#""taskId":"a""#, with: #""taskId":"s:A""#).replacing(
                    #""taskId": "a""#, with: #""taskId": "s:A""#))
        #expect(self.told(message) == self.mapped(message))
        // There and back again: an answer to a question names the task as its server does.
        #expect(self.mapped(self.mapped(message), ["s:A": "a"]) == message)
    }

    @Test func `stay out of what only relates to a task that nobody knows`() {
        let meta = #"{"k":1.0,\#(Self.relation):{"taskId":"b"},"l":"\u00e9"}"#
        let message = #"{"jsonrpc":"2.0","id":1,"result":{"content":[],"_meta":\#(meta),"x":0}}"#
        let plain = #"{"jsonrpc":"2.0","id":1,"result":{"content":[],"_meta":{"k":1.0,"l":"\u00e9"},"x":0}}"#
        #expect(self.mapped(message) == plain)
        let only = #"{"jsonrpc":"2.0","method":"m","params":{"_meta":{\#(Self.relation):{"taskId":7}}}}"#
        #expect(self.mapped(only) == #"{"jsonrpc":"2.0","method":"m","params":{"_meta":{}}}"#)
    }

    @Test func `are not looked for where MCP has none`() {
        for message in [
            #"{"jsonrpc":"2.0","id":1,"result":{"structuredContent":{"taskId":"a","task":{"taskId":"a"}},"content":[{"taskId":"a"}]}}"#,
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"taskId":"a","_meta":{"x":"a"}}}}"#,
            #"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"a","data":{"taskId":"a"}}}"#,
            #"{"jsonrpc":"2.0","id":1,"result":{"tasks":7,"task":"a","taskId":7,"_meta":[]}}"#,
        ] { #expect(self.mapped(message) == message) }
    }

    @Test func `come with a ttl that is bounded, for clients`() {
        let task = { (ttl: String) in
            #"{"jsonrpc":"2.0","id":1,"result":{"ttl":\#(ttl),"taskId":"a","status":"working"}}"#
        }
        for ttl in ["null", "604800001", "1e300"] {
            #expect(self.told(task(ttl), [:]) == task("604800000"), "\(ttl)")
            #expect(self.mapped(task(ttl), [:]) == task(ttl))
        }
        for ttl in ["0", "604800000", "1.5"] { #expect(self.told(task(ttl), [:]) == task(ttl)) }
    }

    @Test func `stand in what came of a task, whether its server thought of it or not`() {
        let told = { (response: String) in
            String(buffer: TaskMessages.toldResult(ByteBuffer(string: response), of: "a", as: "s:A"))
        }
        let related = #"\#(Self.relation):{"taskId":"s:A"}"#
        #expect(told(#"{"id":1,"result":{}}"#) == #"{"id":1,"result":{"_meta":{\#(related)}}}"#)
        #expect(told(#"{"id":1,"result":{"x":1.0}}"#) == #"{"id":1,"result":{"_meta":{\#(related)},"x":1.0}}"#)
        #expect(told(#"{"id":1,"result":{"_meta":{}}}"#) == #"{"id":1,"result":{"_meta":{\#(related)}}}"#)
        #expect(told(#"{"id":1,"result":{"_meta":{"k":1}}}"#) == #"{"id":1,"result":{"_meta":{\#(related),"k":1}}}"#)
        for id in ["a", "b"] {
            let other = #"{"id":1,"result":{"_meta":{\#(Self.relation):{"taskId":"\#(id)"}}}}"#
            #expect(told(other) == #"{"id":1,"result":{"_meta":{\#(related)}}}"#)
        }
        let error = #"{"id":1,"error":{"code":-1,"message":"m"}}"#
        #expect(told(error) == error)
    }

    @Test func `are told of progress that its server does not relate to its task`() throws {
        let note = try JSONText(
            validating: ByteBuffer(string: #"{"method":"m","params":{"progressToken":7,"progress":1}}"#))
        let params = try #require(note.member("params"))
        let token = try #require(note.member("progressToken", in: params))
        let text = TaskMessages.related(note, to: "a", replacing: token, with: ByteBuffer(string: #""t""#))
        let meta = #""_meta":{\#(Self.relation):{"taskId":"a"}}"#
        #expect("\(text)" == #"{"method":"m","params":{\#(meta),"progressToken":"t","progress":1}}"#)
    }
}

@Suite("Calls that run as tasks") struct TaskCallTests {
    private func call(_ params: String) throws -> RPCMessage {
        try RPCMessage(
            JSONText(
                validating: ByteBuffer(string: #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":\#(params)}"#)))
    }

    private func params(_ text: JSONText?) -> String? { text?.value("params").map { "\($0)" } }

    @Test func `do not ask to be kept for ever`() throws {
        let bounded = TaskMessages.bounded(try self.call(#"{"name":"t","task":{"ttl":1e12,"x":1}}"#))
        #expect(self.params(bounded) == #"{"name":"t","task":{"ttl":604800000,"x":1}}"#)
        for params in [#"{"name":"t"}"#, #"{"task":{}}"#, #"{"task":{"ttl":604800000}}"#, #"{"task":{"ttl":null}}"#] {
            #expect(TaskMessages.bounded(try self.call(params)) == nil)
        }
    }

    @Test func `are made of plain ones, and plain ones of them`() throws {
        let plain = #"{"name":"t","arguments":{"task":1.0}}"#
        let task = TaskMessages.asTask(try self.call(plain), ttl: 5)
        #expect(self.params(task) == #"{"task":{"ttl":5},"name":"t","arguments":{"task":1.0}}"#)
        let message = try RPCMessage(try #require(task))
        #expect(message.task != nil)
        #expect(self.params(TaskMessages.asCall(message)) == plain)
        #expect(self.params(TaskMessages.asTask(try self.call("{}"), ttl: 5)) == #"{"task":{"ttl":5}}"#)
    }

    /// A server might take the other one.
    @Test func `are refused that name a task twice`() throws {
        for params in [
            #"{"taskId":"a","taskId":"b"}"#, #"{"task":{},"task":null}"#, #"{"taskId":"a","task\u0049d":"b"}"#,
        ] {
            #expect(throws: RPCError.duplicateMember) { try self.call(params) }
        }
    }
}

@Suite("Tools that can be called as tasks") struct TaskSupportTests {
    private func text(_ json: String) throws -> JSONText { try JSONText(validating: ByteBuffer(string: json)) }

    @Test func `say so`() throws {
        #expect(TaskSupport(of: try self.text(#"{"execution":{"taskSupport":"required"}}"#)) == .required)
        #expect(TaskSupport(of: try self.text(#"{"execution":{"taskSupport":"optional"}}"#)) == .optional)
        for tool in ["{}", #"{"execution":null}"#, #"{"execution":{}}"#, #"{"execution":{"taskSupport":"odd"}}"#] {
            #expect(TaskSupport(of: try self.text(tool)) == .forbidden)
        }
    }

    @Test func `say it for nothing where their server has no tasks`() throws {
        let taken = { (tool: String) in TaskSupport.taken(from: try self.text(tool)).map { "\($0)" } }
        #expect(try taken(#"{"name":"t","execution":{"taskSupport":"required"},"x":1.0}"#) == #"{"name":"t","x":1.0}"#)
        #expect(try taken(#"{"execution":{"a":1.0,"taskSupport":"required"}}"#) == #"{"execution":{"a":1.0}}"#)
        #expect(try taken(#"{"name":"t","execution":{"a":1.0}}"#) == nil)
        #expect(try taken(#"{"name":"t"}"#) == nil)
    }

    @Test func `are of servers that declare it`() throws {
        #expect(TaskSupport.isDeclared(in: try self.text(#"{"tasks":{"requests":{"tools":{"call":{}}}}}"#)))
        for capabilities in [
            "{}", #"{"tasks":{}}"#, #"{"tasks":{"requests":{}}}"#, #"{"tasks":{"requests":{"tools":{}}}}"#,
        ] {
            #expect(!TaskSupport.isDeclared(in: try self.text(capabilities)))
        }
    }
}
