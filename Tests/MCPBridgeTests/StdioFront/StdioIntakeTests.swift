import Testing

@testable import mcp_bridge

@Suite("Stdio intake") struct StdioIntakeTests {
    private static let mebibyte = 1 << 20

    @Test func `requests beyond the limit of lines are refused before the relay has seen any of them`() {
        var intake = StdioIntake()
        let taken = (0..<2_000).filter { _ in intake.takes(10, isRequest: true) }
        #expect(taken.count == StdioIntake.limit.lines)
    }

    @Test func `requests beyond the limit of bytes are refused, and one that is as long as all of it is taken alone`() {
        var intake = StdioIntake()
        let whole = [StdioIntake.limit.octets, 1].map { intake.takes($0, isRequest: true) }
        #expect(whole == [true, false])
        intake.arrived(StdioIntake.limit.octets, StdioIntake.Amount())
        let parts = [60, 5, 4].map { intake.takes($0 * Self.mebibyte, isRequest: true) }
        #expect(parts == [true, false, true])
    }

    @Test func `what requests may wait for is taken beyond the limit, and not without end`() {
        var intake = StdioIntake()
        while intake.takes(10, isRequest: true) {}
        var more = 0
        while intake.reads(unread: 0), more < 10_000, intake.takes(10, isRequest: false) { more += 1 }
        #expect(more == StdioIntake.limit.lines)
    }

    @Test func `what is under way in the relay counts, and no line twice`() {
        var intake = StdioIntake()
        while intake.takes(10, isRequest: true) {}
        for number in 1...StdioIntake.limit.lines {
            intake.arrived(10, StdioIntake.Amount(lines: number, octets: number * 10))
            let isTaken = intake.takes(10, isRequest: true)
            #expect(!isTaken)
        }
        intake.changed(StdioIntake.Amount(lines: StdioIntake.limit.lines - 1, octets: 0))
        let taken = (0..<2).map { _ in intake.takes(10, isRequest: true) }
        #expect(taken == [true, false])
    }

    @Test func `nothing more is read of a client that does not read what it is told`() {
        let intake = StdioIntake()
        #expect(intake.reads(unread: StdioIntake.unread))
        #expect(!intake.reads(unread: StdioIntake.unread + 1))
    }
}
