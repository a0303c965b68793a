import NIOCore
import Testing

@testable import BridgeSession

@Suite("The events that a stream keeps") struct EventLogTests {
    private func message(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    @Test func `are given back after the one that was seen last`() throws {
        var log = EventLog(number: 35)
        let ids = ["a", "b", "c"].map { log.keep(self.message($0), as: .note) }
        #expect(ids == ["z-1", "z-2", "z-3"])
        for (index, id) in ids.enumerated() {
            let seen = try #require(EventLog.parse(id))
            #expect(seen.stream == 35)
            #expect(log.events(after: seen.sequence)?.map(\.id) == Array(ids[(index + 1)...]))
        }
        #expect(log.events(after: 0)?.map { String(buffer: $0.message) } == ["a", "b", "c"])
    }

    @Test func `leave room in the count for one without content`() {
        var log = EventLog(number: 1)
        #expect(log.nextID() == "1-1")
        #expect(log.keep(self.message("x"), as: .note) == "1-2")
        #expect(log.events(after: 1)?.count == 1)
    }

    @Test func `are the newest, and a gap is known`() {
        var log = EventLog(number: 1)
        for _ in 0..<EventLog.maximumEvents + 2 { _ = log.keep(self.message("x"), as: .note) }
        #expect(log.octets == EventLog.maximumEvents)
        #expect(log.events(after: 1) == nil)
        #expect(log.events(after: 2)?.count == EventLog.maximumEvents)
    }

    @Test func `are bounded in bytes, but for the last one`() {
        var log = EventLog(number: 1)
        let large = self.message(String(repeating: "x", count: EventLog.maximumOctets + 1))
        for _ in 0..<3 { _ = log.keep(large, as: .note) }
        #expect(log.octets == large.readableBytes)
        #expect(log.events(after: 2)?.count == 1)
        #expect(log.events(after: 1) == nil)
    }

    @Test func `that were given up are a gap`() {
        var log = EventLog(number: 1)
        _ = log.keep(self.message("x"), as: .note)
        log.forget()
        #expect(log.octets == 0)
        #expect(log.events(after: 0) == nil)
        #expect(log.events(after: 1)?.isEmpty == true)
    }

    @Test func `that are open questions stay, whatever comes behind them`() {
        var log = EventLog(number: 1)
        _ = log.keep(self.message("first"), as: .note)
        let asked = log.keep(self.message("question"), as: .question("q"))
        for _ in 0..<2 * EventLog.maximumEvents { _ = log.keep(self.message("progress"), as: .note) }
        let events = log.events(after: 1)
        #expect(events?.first?.id == asked)
        #expect(events?.count == EventLog.maximumEvents + 1)
        log.forget()
        #expect(log.octets == log.questionOctets)
        #expect(log.events(after: 1)?.map(\.id) == [asked])
        log.forget(question: "q")
        #expect(log.octets == 0 && log.questionOctets == 0)
        #expect(log.events(after: 2 * EventLog.maximumEvents + 2)?.isEmpty == true)
    }

    @Test func `that are answers stay whatever else is said, and are given back with it`() {
        var log = EventLog(number: 1)
        let first = log.keep(self.message("answer"), as: .answer)
        for _ in 0..<2 * EventLog.maximumEvents { _ = log.keep(self.message("progress"), as: .note) }
        let second = log.keep(self.message("answer"), as: .answer)
        let events = log.events(after: 0)
        #expect(events?.first?.id == first && events?.last?.id == second)
        #expect(events?.count == EventLog.maximumEvents + 2)
    }

    @Test func `that are answers are never missing without a word, even behind an open question`() {
        var log = EventLog(number: 1)
        _ = log.keep(self.message("question"), as: .question("q"))
        let half = self.message(String(repeating: "x", count: EventLog.maximumAnswerOctets / 2))
        for _ in 0..<2 { _ = log.keep(half, as: .answer) }
        #expect(log.events(after: 1)?.count == 2)
        _ = log.keep(half, as: .answer)
        #expect(log.events(after: 0) == nil && log.events(after: 1) == nil)
        #expect(log.events(after: 2)?.count == 2)
        log.forget()
        #expect(log.events(after: 3) == nil && log.octets == log.questionOctets)
        #expect(log.events(after: 4)?.isEmpty == true)
    }

    @Test(arguments: ["", "x", "-", "1-", "-1", "1--1", "1-1-1", "1-x", "!-1"])
    func `have ids that nothing else is taken for`(id: String) { #expect(EventLog.parse(id) == nil) }
}
