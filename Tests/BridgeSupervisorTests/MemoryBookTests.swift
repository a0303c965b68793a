import BridgeCore
import BridgeProcess
import NIOCore
import Testing

@testable import BridgeSupervisor

@Suite("Memory by process") struct MemoryBookTests {
    private static func at(_ seconds: Int64) -> NIODeadline {
        .uptimeNanoseconds(1_000_000_000_000) + .seconds(seconds)
    }

    private static func use(_ bytes: Int) -> MemoryReport {
        MemoryReport(MemoryUse(proportional: bytes, anonymous: bytes / 2), droppedRecords: UInt64(bytes))
    }

    @Test func `the processes are asked first of all, and all who ask meanwhile wait for the same answers`() {
        var book = MemoryBook()
        #expect(book.asked(fresh: false, at: Self.at(0)) == .ask)
        book.begin(["supervisor", "http"])
        #expect(book.asked(fresh: false, at: Self.at(0)) == .underWay)
        #expect(book.asked(fresh: true, at: Self.at(0)) == .underWay)
        let isCompleteByHTTP = book.told("http", Self.use(2), at: Self.at(0))
        #expect(!isCompleteByHTTP)
        let isCompleteByBoth = book.told("supervisor", Self.use(1), at: Self.at(1))
        #expect(isCompleteByBoth)
        #expect(book.reports == ["supervisor": Self.use(1), "http": Self.use(2)])
    }

    @Test func `what is known serves ten seconds, unless it is wanted fresh`() {
        var book = MemoryBook()
        book.begin(["supervisor"])
        let isComplete = book.told("supervisor", Self.use(1), at: Self.at(1))
        #expect(isComplete)
        #expect(book.asked(fresh: false, at: Self.at(10)) == .known)
        #expect(book.asked(fresh: true, at: Self.at(2)) == .ask)
        #expect(book.asked(fresh: false, at: Self.at(11)) == .ask)
    }

    @Test func `who has not spoken in time is left out, and comes too late afterwards`() {
        var book = MemoryBook()
        book.begin(["supervisor", "upstream@hangs"])
        let isComplete = book.told("supervisor", Self.use(1), at: Self.at(0))
        #expect(!isComplete)
        let concluded = book.conclude(at: Self.at(2))
        #expect(concluded)
        #expect(book.reports == ["supervisor": Self.use(1)])
        let isCompleteLate = book.told("upstream@hangs", Self.use(9), at: Self.at(3))
        #expect(!isCompleteLate)
        #expect(book.reports == ["supervisor": Self.use(1)])
        let again = book.conclude(at: Self.at(3))
        #expect(!again)
    }

    @Test func `a process that cannot tell is heard all the same, and one that was not asked is not`() {
        var book = MemoryBook()
        book.begin(["supervisor"])
        let isCompleteByStranger = book.told("http", Self.use(2), at: Self.at(0))
        #expect(!isCompleteByStranger)
        let isComplete = book.told("supervisor", nil, at: Self.at(0))
        #expect(isComplete)
        #expect(book.reports.isEmpty)
        #expect(book.asked(fresh: false, at: Self.at(1)) == .known)
    }

    @Test(arguments: [MemoryUse(proportional: 4_096, anonymous: 1_024), nil])
    func `what a process says arrives, also where the kernel does not tell`(use: MemoryUse?) {
        let report = MemoryReport(use, droppedRecords: 7)
        #expect(MemoryReport(report.text) == report)
        #expect(MemoryReport(.emptyObject) == nil)
    }
}
