import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Tasks that a server has under way") struct LiveTasksTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private static let token = ByteBuffer(string: #""t""#)

    private func state(_ id: String = "a", _ status: String = "working", ttl: String = "60000") throws -> TaskState {
        let text = #"{"taskId":"\#(id)","status":"\#(status)","ttl":\#(ttl)}"#
        return try #require(TaskState(try JSONText(validating: ByteBuffer(string: text))))
    }

    @Test func `keep their progress tokens until they end`() throws {
        var tasks = LiveTasks()
        tasks.made(try self.state(), by: 7, Self.token, now: Self.start)
        tasks.made(try self.state("b"), by: 8, nil, now: Self.start)
        #expect(tasks.progressed(7)?.id == "a" && tasks.progressed(7)?.clientToken == Self.token)
        #expect(tasks.progressed(8) == nil)
        tasks.heard(try self.state("a", "input_required"))
        #expect(tasks.progressed(7) != nil)
        tasks.heard(try self.state("a", "failed"))
        #expect(tasks.progressed(7) == nil && !tasks.isEmpty)
        tasks.ended("b")
        #expect(tasks.isEmpty && tasks.nextDeadline == nil)
    }

    @Test func `are let go when their time is over`() throws {
        var tasks = LiveTasks()
        tasks.made(try self.state(), by: 7, Self.token, now: Self.start)
        tasks.made(try self.state("b", ttl: "null"), by: 8, Self.token, now: Self.start)
        #expect(tasks.nextDeadline == Self.start + .seconds(60))
        tasks.expire(now: Self.start + .seconds(60) - .nanoseconds(1))
        #expect(tasks.progressed(7) != nil)
        tasks.expire(now: Self.start + .seconds(60))
        #expect(tasks.progressed(7) == nil && tasks.progressed(8) != nil)
        #expect(tasks.nextDeadline == Self.start + LiveTasks.longest)
        tasks.expire(now: Self.start + LiveTasks.longest)
        #expect(tasks.isEmpty)
    }

    @Test func `are not under way that were over at once, and no more than so many are`() throws {
        var tasks = LiveTasks()
        tasks.made(try self.state("a", "completed"), by: 1, Self.token, now: Self.start)
        #expect(tasks.isEmpty)
        for number in 0...LiveTasks.maximum {
            tasks.made(try self.state("\(number)"), by: number, Self.token, now: Self.start)
        }
        #expect(tasks.progressed(LiveTasks.maximum - 1) != nil && tasks.progressed(LiveTasks.maximum) == nil)
    }

    @Test func `belong to one connection`() { #expect(LiveTasks().life != LiveTasks().life) }
}
