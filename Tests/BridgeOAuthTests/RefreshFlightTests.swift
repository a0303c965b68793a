import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeOAuth

/// A disk, a lock and an authorization server that rotates its refresh tokens, for flights of several processes.
private struct Place {
    var record: OAuthRecord
    var intent: RefreshIntent?
    var answer: KeptAnswer?
    var holder: String?
    /// Refresh tokens that were shown, and the answers that come; the right ones where there is none.
    var shown: [String] = []
    var forms: [FormFields] = []
    var answers: [WebAnswer] = []
    var diskIsFull = false
    var steps: [String] = []

    /// As a server with a grace for the token before: the same successor again.
    private func rotated(_ token: String) -> WebAnswer {
        let next = (Int(token.dropFirst(3)) ?? 0) + 1
        return Fixture.reply(
            200,
            #"{"access_token":"at-\#(next)","token_type":"Bearer","expires_in":3600,"refresh_token":"rt-\#(next)"}"#)
    }

    /// Carries one action out.
    ///
    /// - Returns: the next one; nil when the flight is over.
    mutating func carryOut(_ action: RefreshFlight.Action, of flight: inout RefreshFlight) -> RefreshFlight.Action? {
        self.steps.append(String("\(action)".prefix { $0 != "(" }))
        switch action {
        case .lock: return flight.locked(holder: self.holder)
        case .read: return flight.read(self.record, intent: self.intent, answer: self.answer, now: Fixture.now)
        case .writeIntent(let intent):
            if !self.diskIsFull { self.intent = intent }
            return flight.written(self.diskIsFull ? "no space left" : nil)
        case .send(let request):
            self.forms.append(request.form)
            self.shown.append(request.form["refresh_token"] ?? "")
            let answer = self.answers.isEmpty ? self.rotated(self.shown.last ?? "") : self.answers.removeFirst()
            return flight.answered(answer, now: Fixture.now)
        case .writeAnswer(let answer):
            if !self.diskIsFull { self.answer = answer }
            return flight.written(self.diskIsFull ? "no space left" : nil)
        case .commit(let record):
            if !self.diskIsFull { self.record = record }
            return flight.written(self.diskIsFull ? "no space left" : nil)
        case .clear:
            self.intent = nil
            self.answer = nil
            return flight.written(nil)
        case .end: return nil
        }
    }

    /// - Parameter limit: after so many actions the process is killed.
    mutating func fly(
        _ generation: Int, _ settings: OAuthSettings = Fixture.settings(), unsaved: OAuthRecord? = nil,
        dyingAfter limit: Int = .max
    ) -> RefreshFlight.Outcome? {
        var flight = RefreshFlight(generation: generation, settings: settings, unsaved: unsaved)
        var action = flight.begin()
        for _ in 0..<40 {
            if case .end(let outcome) = action { return outcome }
            guard self.steps.count < limit, let next = self.carryOut(action, of: &flight) else { return nil }
            action = next
        }
        return nil
    }
}

@Suite("One refresh, step by step") struct RefreshFlightTests {
    private func place() throws -> Place { Place(record: try Fixture.record()) }

    @Test func `intent, request, answer and state come in this order, each on the disk before the next`() throws {
        var place = try self.place()
        guard case .refreshed(let record) = place.fly(1) else { return #expect(Bool(false)) }
        #expect(place.steps == ["lock", "read", "writeIntent", "send", "writeAnswer", "commit", "clear"])
        #expect(record == place.record && record.generation == 2 && record.tokens?.refresh == Secret("rt-2"))
        #expect(place.intent == nil && place.answer == nil)
        #expect(place.forms[0]["resource"] == Fixture.server && place.forms[0]["scope"] == "a b")
    }

    @Test(arguments: 0...7)
    func `killed after any step, the next process ends with one good family, and shows no old token`(steps: Int)
        throws
    {
        var place = try self.place()
        _ = place.fly(1, dyingAfter: steps)
        place.steps = []
        let outcome = place.fly(place.record.generation)
        guard case .refreshed(let record) = outcome else {
            return #expect(Bool(false), "\(steps): \(String(describing: outcome))")
        }
        // Each token is shown at most twice: once by who died, once by who came after.
        #expect(place.shown.filter { $0 == "rt-1" }.count <= 2)
        #expect(place.shown == place.shown.sorted(), "an old refresh token after a newer one")
        #expect(record.tokens?.refresh == Secret("rt-\(record.generation)"))
        #expect(place.intent == nil && place.answer == nil)
        // What was answered before the end is not asked for again.
        if steps == 5 { #expect(place.shown == ["rt-1"] && record.generation == 2) }
    }

    @Test func `a process that was frozen shows its old token to nobody`() throws {
        var place = try self.place()
        _ = place.fly(1)
        guard case .adopted(let record) = place.fly(1) else { return #expect(Bool(false)) }
        #expect(record.generation == 2 && place.shown == ["rt-1"])
    }

    @Test func `while another process has the lock, nothing is asked`() throws {
        var place = try self.place()
        place.holder = "process 7"
        #expect(place.fly(1) == .busy("process 7") && place.shown.isEmpty && place.intent == nil)
    }

    @Test func `somebody who has signed out meanwhile stays signed out`() throws {
        var place = try self.place()
        place.record.tokens = nil
        guard case .adopted = place.fly(1) else { return #expect(Bool(false)) }
        #expect(place.shown.isEmpty)
    }

    @Test func `a disk that takes no intent is no reason to risk the token`() throws {
        var place = try self.place()
        place.diskIsFull = true
        #expect(place.fly(1) == .storeTrouble("no space left") && place.shown.isEmpty)
    }

    @Test func `a disk that fills up behind the intent costs nobody the new tokens`() throws {
        var place = try self.place()
        var flight = RefreshFlight(generation: 1, settings: Fixture.settings())
        var action = flight.begin()
        while true {
            if case .send = action { place.diskIsFull = true }
            guard let next = place.carryOut(action, of: &flight) else { break }
            action = next
        }
        guard case .end(.unsaved(let record, "no space left")) = action else { return #expect(Bool(false)) }
        #expect(record.tokens?.refresh == Secret("rt-2") && place.record.generation == 1)
        // The intent stays, so that whoever comes next knows.
        #expect(place.intent != nil)
    }

    // MARK: Tokens that are in memory only

    private func unsaved() throws -> OAuthRecord {
        try Fixture.record {
            $0.generation = 2
            $0.tokens?.access = Secret("at-2")
            $0.tokens?.refresh = Secret("rt-2")
        }
    }

    @Test func `tokens that the disk has not taken are written and used, and older ones of the disk are not`() throws {
        var place = try self.place()
        guard case .refreshed(let record) = place.fly(2, unsaved: try self.unsaved()) else {
            return #expect(Bool(false))
        }
        #expect(place.shown == ["rt-2"] && record.generation == 3 && place.record == record)
        #expect(place.steps == ["lock", "read", "commit", "writeIntent", "send", "writeAnswer", "commit", "clear"])
    }

    @Test func `what is written down beside them meanwhile stays`() throws {
        var place = try self.place()
        place.record.wantedScopes = ["more"]
        guard case .refreshed(let record) = place.fly(2, unsaved: try self.unsaved()) else {
            return #expect(Bool(false))
        }
        #expect(record.wantedScopes == ["more"])
    }

    @Test func `a disk that stays full ends no sign-in: what is in memory is refreshed in memory`() throws {
        var place = try self.place()
        place.diskIsFull = true
        guard case .unsaved(let record, _) = place.fly(2, unsaved: try self.unsaved()) else {
            return #expect(Bool(false))
        }
        #expect(place.shown == ["rt-2"] && record.generation == 3 && record.tokens?.refresh == Secret("rt-3"))
    }

    @Test func `newer ones on the disk are another process's, and used`() throws {
        var place = try self.place()
        place.record.generation = 5
        guard case .adopted(let record) = place.fly(2, unsaved: try self.unsaved()) else {
            return #expect(Bool(false))
        }
        #expect(record.generation == 5 && place.shown.isEmpty)
    }

    @Test func `an answer to tokens that never came to the disk is the newest there is`() throws {
        var place = try self.place()
        guard case .reply(let reply) = Fixture.good else { return }
        place.answer = KeptAnswer(generation: 3, reply: reply, came: Fixture.now.wall)
        guard case .refreshed(let record) = place.fly(1) else { return #expect(Bool(false)) }
        #expect(place.shown.isEmpty && record.generation == 4 && record.tokens?.refresh == Secret("rt-2"))
        // Without a refresh token it would be of the one before, which is nowhere.
        place = try self.place()
        guard case .reply(let bare) = Fixture.reply(200, #"{"access_token":"at-9"}"#) else { return }
        place.answer = KeptAnswer(generation: 3, reply: bare, came: Fixture.now.wall)
        _ = place.fly(1)
        #expect(place.shown == ["rt-1"])
    }

    @Test func `an answer that is not whole is as none, and a lost one leaves the intent`() throws {
        var place = try self.place()
        place.answers = [.failed("closed", sent: true)]
        #expect(place.fly(1) == .verdict(.unknown("closed")))
        #expect(place.intent?.generation == 1 && place.record.tokens == Fixture.tokens())
        place.answers = [.failed("no connection", sent: false)]
        #expect(place.fly(1) == .verdict(.notSent("no connection")))
    }

    @Test func `an old answer is cleared away, and not used`() throws {
        var place = try self.place()
        guard case .reply(let reply) = Fixture.good else { return }
        place.answer = KeptAnswer(generation: 0, reply: reply, came: 1)
        guard case .refreshed(let record) = place.fly(1) else { return #expect(Bool(false)) }
        #expect(place.shown == ["rt-1"] && record.tokens?.access == Secret("at-2"))
    }

    // MARK: Other ways to ask

    @Test func `a refused client is tried in each other way, once`() throws {
        var place = try self.place()
        place.record.registrations = [
            Fixture.client {
                $0.secret = Secret("s ")
                $0.method = .post
            }
        ]
        place.answers = Array(repeating: Fixture.reply(401, #"{"error":"invalid_client"}"#), count: 9)
        guard case .verdict(.clientRefused) = place.fly(1) else { return #expect(Bool(false)) }
        #expect(place.forms.count == 3)
        #expect(place.forms.filter { $0["client_secret"] != nil }.count == 1)
        place.forms = []
        place.answers = [Fixture.reply(401, #"{"error":"invalid_client"}"#)]
        guard case .refreshed(let record) = place.fly(1) else { return #expect(Bool(false)) }
        #expect(record.authentication == ClientAuthentication(method: .basic))
    }

    @Test func `a refused scope is asked for as granted, then not at all, and that is remembered`() throws {
        var place = try self.place()
        place.record.tokens?.granted = "a"
        place.answers = Array(repeating: Fixture.reply(400, #"{"error":"invalid_scope"}"#), count: 2)
        guard case .refreshed(let record) = place.fly(1) else { return #expect(Bool(false)) }
        #expect(place.forms.map { $0["scope"] } == ["a b", "a", nil] && record.sendsNoScope)
        _ = place.fly(2)
        #expect(place.forms.last?["scope"] == nil)
    }

    @Test func `a refused resource is left out once, and from then on`() throws {
        var place = try self.place()
        place.answers = [Fixture.reply(400, #"{"error":"invalid_target"}"#)]
        guard case .refreshed(let record) = place.fly(1) else { return #expect(Bool(false)) }
        #expect(place.forms.map { $0["resource"] } == [Fixture.server, nil] && record.sendsNoResource)
        _ = place.fly(2)
        #expect(place.forms.last?["resource"] == nil)
    }

    @Test func `what is unclear is asked for in each other way once, and then left`() throws {
        var place = try self.place()
        place.answers = Array(repeating: Fixture.reply(400, #"{"error":"invalid_request"}"#), count: 9)
        guard case .verdict(.unclear) = place.fly(1) else { return #expect(Bool(false)) }
        #expect(place.forms.count == 3)
    }

    @Test(arguments: ["invalid_grant", "unauthorized_client", "access_denied"])
    func `a refusal of the token is not asked for in other ways`(code: String) throws {
        var place = try self.place()
        place.answers = [Fixture.reply(400, #"{"error":"\#(code)"}"#)]
        guard case .verdict = place.fly(1) else { return #expect(Bool(false)) }
        #expect(place.forms.count == 1 && place.intent == nil && place.record.tokens == Fixture.tokens())
    }

    @Test func `what the server gives back of our secrets is not told`() throws {
        var place = try self.place()
        place.record.tokens?.refresh = Secret("rt-very-secret")
        place.answers = [Fixture.reply(400, #"{"error":"invalid_grant","error_description":"rt-very-secret is old"}"#)]
        #expect(place.fly(1) == .verdict(.grantRefused("invalid_grant: *** is old")))
    }

    @Test func `a client that needs nobody asks with its own credentials`() throws {
        var place = try self.place()
        let settings = Fixture.settings {
            $0.grant = .clientCredentials
            $0.clientID = "abc"
            $0.clientSecret = Secret("s")
        }
        place.record.tokens?.refresh = nil
        place.record.registrations = [Fixture.client { $0.kind = .configured }]
        place.answers = [Fixture.good]
        guard case .refreshed = place.fly(1, settings) else { return #expect(Bool(false)) }
        #expect(place.forms[0]["grant_type"] == "client_credentials" && place.forms[0]["refresh_token"] == nil)
    }
}
