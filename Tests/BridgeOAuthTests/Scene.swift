import BridgeConfiguration
import BridgeCore
import NIOCore

@testable import BridgeOAuth

/// A sign-in with servers whose pages are given, and a state file in memory.
struct Scene {
    static let challenge = #"Bearer resource_metadata="https://mcp.example/prm", scope="a""#

    var signIn: SignIn
    var record: OAuthRecord
    var pages: [String: [WebAnswer]]
    var asked: [WebRequest] = []
    var kept: [RecordChange] = []
    var now = Fixture.now
    var diskTrouble: String?

    init(
        _ manner: SignIn.Manner = .browser(redirect: "http://127.0.0.1:8770/callback"),
        _ settings: OAuthSettings = Fixture.settings(), record: OAuthRecord? = nil, fresh: Bool = false,
        random: String = "random", more: String = ""
    ) {
        let record = record ?? OAuthRecord(upstream: "github", server: Fixture.server)
        self.record = record
        self.signIn = SignIn(
            manner, record: record, settings: settings, challenge: nil, fresh: fresh,
            random: (random, "verifier"), version: "1.0")
        let prm = #"{"resource":"https://mcp.example/mcp","authorization_servers":["https://as.example"]}"#
        self.pages = [
            Fixture.server: [
                .reply(
                    WebReply(status: 401, headers: [WebHeader("www-authenticate", Self.challenge)], body: ByteBuffer()))
            ],
            "https://mcp.example/prm": [Fixture.reply(200, prm)],
            "https://as.example/.well-known/oauth-authorization-server": [
                Fixture.reply(200, Fixture.metadataText(Fixture.issuer, more))
            ],
            "https://as.example/register": [Fixture.reply(201, #"{"client_id":"made"}"#)],
            "https://as.example/token": [Fixture.good],
        ]
    }

    /// - Returns: what somebody has to do, or how it ended.
    mutating func run(_ action: SignIn.Action) -> SignIn.Action {
        var action = action
        for _ in 0..<40 {
            switch action {
            case .ask(let request):
                self.asked.append(request)
                var answer = Fixture.reply(404)
                if var pages = self.pages[request.url], !pages.isEmpty {
                    answer = pages.count > 1 ? pages.removeFirst() : pages[0]
                    self.pages[request.url] = pages
                }
                action = self.signIn.answered(answer, now: self.now)
            case .keep(let change):
                self.kept.append(change)
                if self.diskTrouble == nil { change.apply(to: &self.record, now: self.now.wall) }
                action = self.signIn.kept(self.diskTrouble, now: self.now)
            case .invite, .wait, .done, .failed: return action
            }
        }
        return action
    }

    mutating func begin() -> SignIn.Action { self.run(self.signIn.begin(now: self.now)) }

    mutating func come(back query: String) -> SignIn.Action? {
        let (action, _) = self.signIn.redirected(query, record: self.record, now: self.now)
        return action.map { self.run($0) }
    }

    struct NotInvited: Error {}

    mutating func invited() throws -> SignInInvitation {
        guard case .invite(let invitation, _) = self.begin() else { throw NotInvited() }
        return invitation
    }
}
