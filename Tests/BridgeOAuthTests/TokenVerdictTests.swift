import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeOAuth

/// One row each of what token endpoints answer.
@Suite("What an answer of a token endpoint means") struct TokenVerdictTests {
    private func verdict(_ answer: WebAnswer) -> TokenVerdict { TokenVerdict.of(answer, now: Fixture.now) }
    private func word(_ status: Int, _ body: String, _ headers: [String: String] = [:]) -> String {
        self.verdict(Fixture.reply(status, body, headers)).word
    }

    @Test func `what did not leave, and what has no whole answer, are two things`() {
        #expect(self.verdict(.failed("no connection", sent: false)) == .notSent("no connection"))
        #expect(self.verdict(.failed("closed", sent: true)) == .unknown("closed"))
    }

    @Test(arguments: [408, 425, 429, 500, 502, 503, 504, 520, 525, 530])
    func `trouble of the server's is no verdict, whatever it says with it`(status: Int) {
        for body in ["", "<html>", #"{"error":"invalid_grant"}"#, #"{"error":{"code":1}}"#] {
            #expect(self.word(status, body) == "later")
        }
        guard case .later(_, retryAfter: 30) = self.verdict(Fixture.reply(status, "", ["Retry-After": "30"]))
        else { return #expect(Bool(false)) }
    }

    @Test(arguments: [200, 400, 401, 403]) func `some words are no verdict at any status`(status: Int) {
        #expect(self.word(status, #"{"error":"temporarily_unavailable"}"#) == "later")
        #expect(self.word(status, #"{"error":"server_error"}"#) == "later")
        #expect(self.word(status, #"{"error":"slow_down"}"#) == "pending")
    }

    @Test(arguments: [301, 302, 307, 308]) func `a redirect is not followed, and says where it leads`(status: Int) {
        let answer = Fixture.reply(status, "", ["Location": "https://login.example/x?secret=1"])
        guard case .redirected(let words) = self.verdict(answer) else { return #expect(Bool(false)) }
        #expect(words.contains("https://login.example/x") && !words.contains("secret"))
    }

    @Test(arguments: [200, 400, 401, 403]) func `a page, nothing, or what is no JSON is nobody's word`(status: Int) {
        for body in ["<html><title>Log in</title></html>", "", "Forbidden", "[1]", "\u{FEFF}"] {
            #expect(self.word(status, body) == "page")
        }
    }

    @Test(arguments: [400, 401, 403]) func `invalid_grant refuses the refresh token, in the server's own words`(
        status: Int
    ) {
        let answer = Fixture.reply(
            status,
            #"{"error":"invalid_grant","error_description":"AADSTS700082: expired\u001b[0m","suberror":"bad_token"}"#)
        guard case .grantRefused(let words) = self.verdict(answer) else { return #expect(Bool(false)) }
        #expect(words.contains("AADSTS700082") && words.contains("bad_token") && !words.contains("\u{1B}"))
        let google = #"{"error":"invalid_grant","error_subtype":"invalid_rapt"}"#
        guard case .grantRefused(let said) = self.verdict(Fixture.reply(status, google)) else {
            return #expect(Bool(false))
        }
        #expect(said.contains("invalid_rapt"))
        #expect(self.word(status, #"{"error":"invalid_grant","suberror":"consent_required"}"#) == "interactionNeeded")
    }

    @Test(arguments: [400, 401]) func `invalid_client refuses the client`(status: Int) {
        #expect(self.word(status, #"{"error":"invalid_client"}"#) == "clientRefused")
    }

    @Test func `unauthorized_client is about the client with a status that says so, and else about the grant`() {
        let body = #"{"error":"unauthorized_client","error_description":"Invalid client_id"}"#
        #expect(self.word(401, body) == "clientRefused" && self.word(400, body) == "grantUnsupported")
    }

    @Test(arguments: [
        ("unauthorized_client", "grantUnsupported"), ("unsupported_grant_type", "grantUnsupported"),
        ("invalid_scope", "scopeRefused"), ("invalid_target", "resourceRefused"),
        ("interaction_required", "interactionNeeded"), ("login_required", "interactionNeeded"),
        ("consent_required", "interactionNeeded"), ("access_denied", "interactionNeeded"),
        ("invalid_request", "unclear"), ("something_new", "unclear"),
    ]) func `each error has its verdict`(code: String, word: String) {
        #expect(self.word(400, #"{"error":"\#(code)"}"#) == word)
    }

    @Test func `an error of another form is unclear, and not lost`() {
        #expect(self.word(400, #"{"error":{"code":"x","message":"m"}}"#) == "unclear")
        #expect(self.word(422, #"{"message":"Unrecognized client_id"}"#) == "unclear")
        #expect(
            self.word(400, #"{"error":"invalid_request","error_description":"AADSTS9010010: resource"}"#)
                == "resourceRefused")
        #expect(self.word(400, "error=invalid_grant&error_description=x") == "grantRefused")
    }

    @Test(arguments: [404, 405, 410]) func `an endpoint that is gone has moved`(status: Int) {
        #expect(self.word(status, "") == "moved")
        #expect(self.word(status, #"{"error":"not_found"}"#) == "moved")
    }

    @Test(arguments: [
        (
            #"{"error":"bad_refresh_token","error_description":"The refresh token passed is incorrect or expired."}"#,
            "grantRefused"
        ),
        (#"{"error":"incorrect_client_credentials"}"#, "clientRefused"),
        (#"{"ok":false,"error":"invalid_refresh_token"}"#, "grantRefused"),
        (#"{"ok":false,"error":"token_expired"}"#, "grantRefused"),
        (#"{"ok":false,"error":"invalid_auth"}"#, "grantRefused"), (#"{"ok":false,"error":"new_thing"}"#, "unclear"),
        (#"{"ok":false}"#, "unclear"), (#"{"error":"authorization_pending"}"#, "pending"), (#"{"hello":1}"#, "unclear"),
    ]) func `an error with status 200 goes by its code`(body: String, word: String) {
        #expect(self.word(200, body) == word)
    }

    @Test(arguments: [
        #"{"access_token":"hush-hush","token_type":"DPoP"}"#, "access_token=hush-hush&token_type=mac",
        #"{"message":"hush-hush","code":"hush-hush"}"#, #"{"token":"hush-hush"}"#, "hush-hush",
        #"{"detail":"hush-hush"}"#,
    ]) func `what went well is not quoted, whatever is amiss with it`(body: String) {
        for status in [200, 201, 204] {
            #expect(!"\(self.verdict(Fixture.reply(status, body)))".contains("hush"), "\(status)")
        }
        let device = try? Fixture.reply(200, body).whole
        #expect(device.map { ForeignWords.of($0) } == "")
    }

    @Test func `an error with status 200 is told in the server's own words`() {
        let answer = Fixture.reply(200, #"{"error":"bad_refresh_token","error_description":"It has expired."}"#)
        #expect(self.verdict(answer) == .grantRefused("bad_refresh_token: It has expired."))
    }

    @Test(arguments: [200, 302, 400, 401, 403, 404, 503]) func `what was said in confidence is in no verdict's words`(
        status: Int
    ) {
        let (plain, encoded) = (Secret("rt-0123456789"), Secret("se/cr+et 1"))
        // Half of it would be left by who cuts first.
        let long = String(repeating: "x", count: 190)
        for words in ["no \(plain.value)", "\(long) \(plain.value)", "se%2Fcr%2Bet%201", "se%2Fcr%2Bet+1 se/cr+et 1"] {
            for body in [
                #"{"error":"invalid_grant","error_description":"\#(words)"}"#, #"{"error":"\#(words)"}"#,
                #"{"message":"\#(words)"}"#, "<p>\(words)</p>",
            ] {
                let answer = Fixture.reply(status, body, ["Location": "/login/\(plain.value)?x=\(plain.value)"])
                let verdict = "\(TokenVerdict.of(answer, now: Fixture.now, hiding: [plain, encoded]))"
                #expect(
                    !verdict.contains("rt-01") && !verdict.contains("cr+et") && !verdict.contains("2Fcr"), "\(verdict)")
            }
        }
    }

    @Test(arguments: [200, 201]) func `tokens are tokens with either status`(status: Int) {
        #expect(self.word(status, #"{"access_token":"t","token_type":"Bearer"}"#) == "issued")
    }
}
