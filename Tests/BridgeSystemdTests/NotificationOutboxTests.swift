import Glibc
import Testing

@testable import BridgeSystemd

@Suite("What is still to be told") struct NotificationOutboxTests {
    typealias Notice = ServiceNotifier.Notice

    private func drained(_ notices: [Notice]) -> [Notice] {
        var outbox = NotificationOutbox()
        for notice in notices { outbox.add(notice) }
        var told: [Notice] = []
        while let next = outbox.next {
            told.append(next)
            outbox.removeNext()
        }
        return told
    }

    @Test func `nothing is to be told at first`() {
        #expect(NotificationOutbox().next == nil)
    }

    @Test func `what must not be lost stays in order`() throws {
        let notices: [Notice] =
            [.messages([.ready, .status("up")]), .removeStored(name: "a")]
            + (try Notice.storing(name: "a", [0], polled: false)) + [.messages([.stopping])]
        #expect(self.drained(notices) == notices)
    }

    @Test func `of status and sign of life the newest is told, last and in one`() {
        let notices: [Notice] = [
            .messages([.status("one")]), .messages([.watchdog]), .messages([.stopping]), .messages([.status("two")]),
            .messages([.watchdog]),
        ]
        #expect(self.drained(notices) == [.messages([.stopping]), .messages([.status("two"), .watchdog])])
    }

    @Test func `a status that comes with what must not be lost is newer than the one that waits`() {
        let notices: [Notice] = [.messages([.status("old")]), .messages([.ready, .status("new")])]
        #expect(self.drained(notices) == [.messages([.ready, .status("new")])])
    }

    @Test func `a wish for more time is told once, the newest`() {
        let wishes = (1...100).map { Notice.messages([.extendTimeout(.seconds($0))]) }
        #expect(self.drained(wishes) == [.messages([.extendTimeout(.seconds(100))])])
        #expect(self.drained([wishes[0], .messages([.stopping]), wishes[1]]) == [.messages([.stopping]), wishes[1]])
    }

    @Test func `however often the service reloads, the last time is told, and that it was ready`() {
        var notices: [Notice] = [.messages([.ready, .status("up")])]
        for round in 0..<200 { notices += [.messages([.reloading]), .messages([.ready, .status("\(round)")])] }
        #expect(self.drained(notices) == [.messages([.reloading]), .messages([.ready, .status("199")])])
        #expect(
            self.drained(notices + [.messages([.stopping, .status("end")])]).last
                == .messages([.stopping, .status("end")]))
    }

    @Test func `a status outlives the state that it came with`() {
        let notices: [Notice] = [.messages([.ready, .status("up")]), .messages([.ready])]
        #expect(self.drained(notices) == [.messages([.ready]), .messages([.status("up")])])
    }

    @Test func `nothing is forgotten, however much there is`() throws {
        let removed = (0..<500).map { Notice.removeStored(name: "\($0)") }
        let stored = try (0..<20).flatMap { try Notice.storing(name: "\($0)", [0]) }
        let all = [.messages([.ready])] + removed + stored
        #expect(self.drained(all) == all)
    }

    @Test func `what was stored under a name that is emptied is not stored any more`() throws {
        let first = try Notice.storing(name: "a", [0])
        let second = try Notice.storing(name: "a", [0])
        let other = try Notice.storing(name: "b", [0])
        let empty = Notice.removeStored(name: "a")
        #expect(self.drained([empty] + first + other + [empty] + second) == other + [empty] + second)
    }

    @Test func `what waits holds descriptors of its own, each closed once it is told`() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        var outbox = NotificationOutbox()
        for notice in try Notice.storing(name: "a", [ends[1]]) { outbox.add(notice) }
        close(ends[1])
        var waiting = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
        #expect(poll(&waiting, 1, 0) == 0)
        outbox.removeNext()
        #expect(poll(&waiting, 1, 60_000) == 1 && waiting.revents & Int16(POLLHUP) != 0)
    }
}
