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

    @Test func `what must not be lost stays in order`() {
        let notices: [Notice] = [
            .messages([.ready, .status("up")]), .removeStored(name: "a"),
            .store(name: "a", descriptors: [3], polled: false), .messages([.stopping]),
        ]
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

    @Test func `what is said again and again waits once`() {
        let more = Notice.messages([.extendTimeout(.seconds(10))])
        #expect(self.drained([more, more, more]) == [more])
        #expect(self.drained([more, .messages([.stopping]), more]) == [more, .messages([.stopping]), more])
    }

    @Test func `beyond its capacity the oldest is forgotten`() {
        let many = (0...NotificationOutbox.capacity).map { Notice.removeStored(name: "\($0)") }
        #expect(self.drained(many) == Array(many.dropFirst()))
    }
}
