import BridgeCore
import NIOCore
import Testing

@testable import BridgeMCP

@Suite("Tasks in the place of calls") struct DrivenTaskTests {
    private static func task(_ status: String, _ more: String = "") -> String {
        #"{"taskId":"a","status":"\#(status)","ttl":null\#(more)}"#
    }

    private static func made(_ more: String = "") -> ByteBuffer {
        ByteBuffer(string: #"{"jsonrpc":"2.0","id":1,"result":{"task":\#(Self.task("working", more))}}"#)
    }

    private static func state(_ status: String, _ more: String = "") -> ByteBuffer {
        ByteBuffer(string: #"{"jsonrpc":"2.0","id":1,"result":\#(Self.task(status, more))}"#)
    }

    @Test func `are made, asked about, and fetched`() {
        var task = DrivenTask()
        #expect(task.answered(Self.made(#","pollInterval":200"#)).step == .poll(after: 200))
        #expect(task.id == "a")
        #expect(
            String(buffer: task.request("tasks/get", id: ByteBuffer(string: "7")))
                == #"{"jsonrpc":"2.0","id":7,"method":"tasks/get","params":{"taskId":"a"}}"#)
        let working = task.answered(Self.state("working"))
        #expect(working.step == .poll(after: 200) && working.hasNews)
        #expect(!task.answered(Self.state("working")).hasNews)
        #expect(task.answered(Self.state("working", #","statusMessage":"half""#)).hasNews)
        #expect(!task.isOver)
        #expect(task.answered(Self.state("completed")).step == .fetch)
        #expect(task.isOver)
        let meta = #""_meta":{"io.modelcontextprotocol/related-task":{"taskId":"a"}}"#
        let result = ByteBuffer(string: #"{"jsonrpc":"2.0","id":1,"result":{"content":[],\#(meta)}}"#)
        let plain = ByteBuffer(string: #"{"jsonrpc":"2.0","id":1,"result":{"content":[],"_meta":{}}}"#)
        #expect(task.answered(result).step == .answer(plain))
    }

    @Test(arguments: ["completed", "failed", "cancelled", "input_required"])
    func `are fetched when they end, or want something`(status: String) {
        var task = DrivenTask()
        _ = task.answered(Self.made())
        #expect(task.answered(Self.state(status)).step == .fetch)
        #expect(task.isOver == (status != "input_required"))
        let error = ByteBuffer(string: #"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m"}}"#)
        #expect(task.answered(error).step == .answer(error))
    }

    @Test(arguments: [
        ("", 500), (#","pollInterval":0"#, 50), (#","pollInterval":1e9"#, 60_000), (#","pollInterval":"x""#, 500),
    ])
    func `are asked about as often as their server says, within reason`(more: String, delay: Int) {
        var task = DrivenTask()
        #expect(task.answered(Self.made(more)).step == .poll(after: delay))
    }

    @Test func `are not, where the server answers at once`() {
        for answer in [#"{"id":1,"result":{"content":[]}}"#, #"{"id":1,"error":{"code":-1,"message":"m"}}"#] {
            var task = DrivenTask()
            #expect(task.answered(ByteBuffer(string: answer)).step == .answer(ByteBuffer(string: answer)))
            #expect(task.id == nil)
        }
    }

    @Test func `are told of meanwhile, and fetched at once when that says that they are over`() throws {
        var task = DrivenTask()
        _ = task.answered(Self.made(#","pollInterval":60000"#))
        let told = { (status: String, id: String) throws -> TaskState in
            let text = Self.task(status).replacing(#""a""#, with: #""\#(id)""#)
            return try #require(TaskState(try JSONText(validating: ByteBuffer(string: text))))
        }
        // What is told again is no news; what is told of another is none of its business.
        #expect(try task.noted(told("working", "a"), isAsking: false).hasNews)
        #expect(try task.noted(told("working", "a"), isAsking: false) == (nil, false))
        #expect(try task.noted(told("completed", "b"), isAsking: false) == (nil, false))
        // The answer that is waited for says what is next.
        #expect(try task.noted(told("completed", "a"), isAsking: true) == (nil, true))
        #expect(task.isOver)
        #expect(task.answered(Self.state("completed")).step == .fetch)
        var other = DrivenTask()
        _ = other.answered(Self.made())
        #expect(try other.noted(told("input_required", "a"), isAsking: false) == (.fetch, true))
        #expect(!other.isOver)
        // While its result is fetched, it is told that it goes on, and nothing is fetched twice.
        #expect(try other.noted(told("working", "a"), isAsking: false) == (nil, true))
        #expect(try other.noted(told("failed", "a"), isAsking: false) == (nil, true))
        #expect(other.isOver)
    }

    @Test func `are lost when their server does not know them`() {
        var task = DrivenTask()
        _ = task.answered(Self.made())
        let error = ByteBuffer(string: #"{"id":1,"error":{"code":-32602,"message":"No such task."}}"#)
        #expect(task.answered(error).step == .lost("No such task."))
    }
}
