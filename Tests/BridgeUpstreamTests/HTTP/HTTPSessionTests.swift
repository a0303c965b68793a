import Testing

@testable import BridgeUpstream

@Suite("Session with an HTTP server") struct HTTPSessionTests {
    private static func opened() -> HTTPSession {
        var session = HTTPSession()
        Self.open(&session, "a")
        return session
    }

    private static func open(_ session: inout HTTPSession, _ id: String?) {
        #expect(session.send(isRequest: true) { "initialize" } == .greeting)
        session.greeted(id: id, revision: "2025-11-25")
        #expect(session.send(isRequest: false) { "notifications/initialized" } == .confirmation)
        let isOpen = session.confirmed()
        #expect(isOpen)
    }

    @Test func `requests wait until the greeting is over, and notifications of no session are dropped`() {
        var session = HTTPSession()
        #expect(session.send(isRequest: true) { "tools/list" } == .later)
        #expect(session.send(isRequest: false) { "notifications/cancelled" } == .never)
        #expect(session.send(isRequest: true) { "initialize" } == .greeting)
        #expect(!session.takesMore)
        #expect(session.send(isRequest: true) { "tools/list" } == .later)
        session.greeted(id: "a", revision: "2025-06-18")
        #expect(session.takesMore && session.id == "a" && session.revision == "2025-06-18")
        #expect(session.send(isRequest: true) { "tools/list" } == .later)
        #expect(session.send(isRequest: false) { "notifications/initialized" } == .confirmation)
        #expect(session.send(isRequest: true) { "tools/list" } == .later)
        let isOpen = session.confirmed()
        #expect(isOpen)
        #expect(session.send(isRequest: true) { nil } == .now)
    }

    @Test func `a refused greeting may be followed by another one`() {
        var session = HTTPSession()
        _ = session.send(isRequest: true) { "initialize" }
        session.greetingRefused()
        #expect(session.send(isRequest: true) { "initialize" } == .greeting)
    }

    @Test func `what was put off leaves in the session that follows, or means nothing there`() {
        var session = Self.opened()
        let before = session.era
        for kind in [HTTPPost.Kind.request, .other, .confirmation] {
            #expect(session.turn(of: kind, handedOverIn: before) == .now)
        }
        #expect(session.turn(of: .greeting, handedOverIn: before) == .never, "it has been greeted")
        #expect(session.refused(inSession: 1) == .lost)
        for isGreeted in [false, true] {
            #expect(session.turn(of: .request, handedOverIn: before) == .later)
            #expect(session.turn(of: .other, handedOverIn: before) == .never)
            #expect(session.turn(of: .confirmation, handedOverIn: before) == .never)
            guard !isGreeted else { continue }
            #expect(session.send(isRequest: true) { "initialize" } == .greeting)
            #expect(session.turn(of: .greeting, handedOverIn: session.era) == .now)
            #expect(session.turn(of: .other, handedOverIn: session.era) == .now, "an answer to what is asked first")
            session.greeted(id: "b", revision: nil)
        }
        #expect(session.send(isRequest: false) { "notifications/initialized" } == .confirmation)
        #expect(session.turn(of: .confirmation, handedOverIn: session.era) == .now)
        let isOpen = session.confirmed()
        #expect(isOpen)
        #expect(session.turn(of: .request, handedOverIn: before) == .now)
        #expect(session.turn(of: .other, handedOverIn: before) == .never)
    }

    @Test func `a session is lost once, whoever is told so after it`() {
        var session = Self.opened()
        #expect(session.refused(inSession: 1) == .lost)
        #expect(session.refused(inSession: 1) == .again)
        #expect(session.id == nil && session.send(isRequest: true) { "tools/call" } == .later)
        Self.open(&session, "b")
        #expect(session.refused(inSession: 1) == .again, "that was the session before")
        #expect(session.phase == .open && session.id == "b")
    }

    @Test func `sessions that are good for nothing are given up, and one that was good for something is forgiven`() {
        var session = Self.opened()
        for round in 1...HTTPSession.mostLosses {
            #expect(session.refused(inSession: round) == .lost)
            Self.open(&session, "s")
        }
        var hopeless = session
        #expect(hopeless.refused(inSession: hopeless.number) == .hopeless)
        session.succeeded(inSession: session.number)
        #expect(session.refused(inSession: session.number) == .lost)
    }

    @Test func `a session that takes pings and nothing else is given up, and a request that is taken ends all doubt`() {
        var session = Self.opened()
        for _ in 1..<HTTPSession.mostDoubts {
            let isOver = session.doubted(inSession: 1)
            #expect(!isOver)
        }
        var good = session
        let isOver = session.doubted(inSession: 1)
        #expect(isOver)
        #expect(!good.isProven)
        good.succeeded(inSession: 1)
        #expect(good.isProven)
        let isOverAfterSuccess = good.doubted(inSession: 1)
        #expect(!isOverAfterSuccess)
    }

    @Test func `what an earlier session did forgives nothing`() {
        var session = Self.opened()
        _ = session.refused(inSession: 1)
        Self.open(&session, "b")
        _ = session.refused(inSession: 2)
        Self.open(&session, "c")
        session.succeeded(inSession: 1)
        #expect(session.refused(inSession: 3) == .hopeless)
    }
}
