import NIOCore

/// What is asked of the OAuth of one upstream: of its worker by the supervisor, for commands, the front and the session
/// worker. It is answered with an ``OAuthAnswer``.
package enum OAuthRequest: LinkHeader, Equatable {
    /// To begin a sign-in in a browser. One that waits already is given up for it.
    ///
    /// - Parameters:
    ///   - redirect: where the browser is sent back to: one of the configured URIs. nil is the first of them.
    ///   - fresh: whether a client is registered anew.
    case begin(redirect: String?, fresh: Bool)
    /// To begin a sign-in by a code that is typed in elsewhere (RFC 8628).
    case device(fresh: Bool)
    /// What a redirect brought: all behind the `?`, or a whole URL that somebody has pasted.
    case redirect(query: String)
    /// To be answered when the sign-in that waits is over. Where none does, how things are is said at once.
    case wait
    /// To give up the sign-in that waits.
    case cancel
    /// How things are, with who holds the lock of the state.
    case status
    /// To revoke the tokens, and to delete them and what was registered.
    case logout

    package func write(to header: inout HeaderWriter) {
        switch self {
        case .begin(let redirect, let fresh):
            header.member("do", "begin")
            header.member("to", redirect)
            header.flag("fresh", fresh)
        case .device(let fresh):
            header.member("do", "device")
            header.flag("fresh", fresh)
        case .redirect(let query):
            header.member("do", "redirect")
            header.member("query", query)
        case .wait: header.member("do", "wait")
        case .cancel: header.member("do", "cancel")
        case .status: header.member("do", "status")
        case .logout: header.member("do", "logout")
        }
    }

    package init?(reading header: inout HeaderReader) {
        switch header.string("do") {
        case "begin": self = .begin(redirect: header.string("to"), fresh: header.flag("fresh"))
        case "device": self = .device(fresh: header.flag("fresh"))
        case "redirect": self = .redirect(query: header.string("query") ?? "")
        case "wait": self = .wait
        case "cancel": self = .cancel
        case "status": self = .status
        case "logout": self = .logout
        default: return nil
        }
    }
}

/// How an ``OAuthRequest`` is answered: the payload of the exchange's end.
package struct OAuthAnswer: Sendable, Equatable {
    /// Whether it was done. Of ``OAuthRequest/wait``: whether somebody has signed in.
    package var isDone: Bool
    /// What happened, or why it was not done: sentences for people, without a secret.
    package var text: String
    package var report: OAuthReport?
    /// Of a sign-in that has begun.
    package var invitation: SignInInvitation?

    package init(
        isDone: Bool, text: String, report: OAuthReport? = nil, invitation: SignInInvitation? = nil
    ) {
        self.isDone = isDone
        self.text = text
        self.report = report
        self.invitation = invitation
    }

    package var json: JSONText {
        JSONWriter.object { answer in
            answer.member("done", self.isDone)
            answer.member("text", self.text)
            answer.member("report", ifPresent: self.report?.json)
            answer.member("invitation", ifPresent: self.invitation?.json)
        }
    }

    package init?(_ json: JSONText) {
        guard let isDone = json.bool("done") else { return nil }
        self.isDone = isDone
        self.text = json.string("text") ?? ""
        self.report = json.value("report").flatMap { OAuthReport($0) }
        self.invitation = json.value("invitation").flatMap { SignInInvitation($0) }
    }
}

/// What somebody needs to sign in. Whoever has it can sign in as the owner, so it goes to the owner alone.
package struct SignInInvitation: Sendable, Equatable {
    /// To be opened in a browser.
    package var url: String
    /// To be typed in there; nil where the browser is redirected.
    package var code: String?
    /// Where the browser is sent back to; nil where a code is typed in.
    package var redirect: String?
    /// Until when it is good, in seconds since 1970.
    package var until: Int
    /// Of the authorization server, whose pages alone may be filled in.
    package var issuer: String
    /// The one that somebody has signed in at before, where this is another one: a person has to look at its page.
    package var before: String?
    /// What people should know before they open it: no refresh token is to be expected, an old registration.
    package var notes: [String]

    package init(
        url: String, code: String? = nil, redirect: String? = nil, until: Int, issuer: String, before: String? = nil,
        notes: [String] = []
    ) {
        self.url = url
        self.code = code
        self.redirect = redirect
        self.until = until
        self.issuer = issuer
        self.before = before
        self.notes = notes
    }

    package var json: JSONText {
        JSONWriter.object {
            $0.member("url", self.url)
            $0.member("code", ifPresent: self.code)
            $0.member("redirect", ifPresent: self.redirect)
            $0.member("until", self.until)
            $0.member("issuer", self.issuer)
            $0.member("before", ifPresent: self.before)
            $0.member("notes", self.notes)
        }
    }

    package init?(_ json: JSONText) {
        guard let url = json.string("url"), let until = json.int("until") else { return nil }
        self.url = url
        self.code = json.string("code")
        self.redirect = json.string("redirect")
        self.until = until
        self.issuer = json.string("issuer") ?? ""
        self.before = json.string("before")
        self.notes = json.strings("notes")
    }
}
