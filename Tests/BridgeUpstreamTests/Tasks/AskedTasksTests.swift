import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("What a server has asked as tasks") struct AskedTasksTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private static let until = start + .seconds(60)

    private func state(_ id: String, _ status: String = "working") throws -> TaskState {
        let text = #"{"taskId":"\#(id)","status":"\#(status)","ttl":null}"#
        return try #require(TaskState(try JSONText(validating: ByteBuffer(string: text))))
    }

    @Test func `belongs to the call in which it was asked, stops its clock until it is over, and ends with it`() throws
    {
        var tasks = AskedTasks()
        tasks.made(try self.state("a"), by: 7, until: Self.until)
        tasks.made(try self.state("b"), by: 8, until: Self.until)
        #expect(tasks.asker(of: "a")?.call == 7 && tasks.asker(of: "c") == nil)
        #expect(tasks.isUnderWay(for: 7, now: Self.start) && !tasks.isUnderWay(for: 9, now: Self.start))
        #expect(!tasks.isUnderWay(for: 7, now: Self.until), "no call stands still for ever")
        tasks.heard(try self.state("a", "completed"))
        tasks.heard(try self.state("c", "completed"))
        #expect(!tasks.isUnderWay(for: 7, now: Self.start) && tasks.isUnderWay(now: Self.start))
        #expect(
            tasks.list.description
                == #"{"tasks":[\#(try self.state("a", "completed").text),\#(try self.state("b").text)]}"#)
        tasks.over(7)
        #expect(tasks.asker(of: "a") == nil && tasks.asker(of: "b")?.call == 8)
        tasks.over(8)
        #expect(tasks.list.description == #"{"tasks":[]}"# && !tasks.isUnderWay(now: Self.start))
    }
}
