/// How it stands with the token of an upstream, in one word.
package enum OAuthPhase: String, Sendable, CaseIterable {
    /// No token is there, and nobody has asked for one.
    case none = "not needed"
    case ok
    /// The token is about to be refreshed, or is being refreshed.
    case due
    /// It could not be refreshed, and that says nothing against it.
    case retrying
    /// The server does not take the tokens that its own authorization server has just given.
    case refused = "refused by server"
    case signInNeeded = "sign-in needed"
    case signingIn = "signing in"
    case misconfigured = "configuration wrong"

    /// Whether somebody has to do something.
    package var isTroubled: Bool {
        switch self {
        case .none, .ok, .due, .retrying, .signingIn: false
        case .refused, .signInNeeded, .misconfigured: true
        }
    }
}

/// How it stands with the OAuth of an upstream, without a secret: the member `oauth` of its status.
package struct OAuthReport: Sendable, Equatable {
    package var phase: OAuthPhase
    /// Why it is so, for people.
    package var reason: String?
    /// When it has become so, in seconds since 1970, like every time here.
    package var since: Int?
    /// When the token ends; nil where nobody said so.
    package var expires: Int?
    /// When it is refreshed next, or when that is tried again.
    package var next: Int?
    /// Until when the sign-in waits.
    package var until: Int?
    package var issuer: String?
    /// A digest of the client's id, and how there came to be one: `configured`, `metadata document`, `registered`.
    package var client: String?
    package var registration: String?
    package var scope: String?
    /// Whether the token can be had anew without anybody.
    package var isRenewable: Bool
    /// Counts the tokens that there have been.
    package var generation: Int
    /// Which process holds the state's lock, as far as that was looked at.
    package var holder: String?
    /// Sentences for people: what is odd and does not keep it from working.
    package var notes: [String]

    package init(
        phase: OAuthPhase, reason: String? = nil, since: Int? = nil, expires: Int? = nil, next: Int? = nil,
        until: Int? = nil, issuer: String? = nil, client: String? = nil, registration: String? = nil,
        scope: String? = nil, isRenewable: Bool = false, generation: Int = 0, holder: String? = nil,
        notes: [String] = []
    ) {
        self.phase = phase
        self.reason = reason
        self.since = since
        self.expires = expires
        self.next = next
        self.until = until
        self.issuer = issuer
        self.client = client
        self.registration = registration
        self.scope = scope
        self.isRenewable = isRenewable
        self.generation = generation
        self.holder = holder
        self.notes = notes
    }

    /// `sign-in needed (its refresh token was refused: expired)`.
    package var words: String { self.reason.map { "\(self.phase.rawValue) (\($0))" } ?? self.phase.rawValue }

    package var json: JSONText {
        JSONWriter.object {
            $0.member("state", self.phase.rawValue)
            $0.member("reason", ifPresent: self.reason)
            $0.member("since", ifPresent: self.since.map(Self.time))
            $0.member("expiresAt", ifPresent: self.expires.map(Self.time))
            $0.member("nextRefreshAt", ifPresent: self.next.map(Self.time))
            $0.member("waitsUntil", ifPresent: self.until.map(Self.time))
            $0.member("issuer", ifPresent: self.issuer)
            $0.member("client", ifPresent: self.client)
            $0.member("registration", ifPresent: self.registration)
            $0.member("scope", ifPresent: self.scope)
            $0.member("renewable", self.isRenewable)
            $0.member("generation", self.generation)
            $0.member("lockHeldBy", ifPresent: self.holder)
            if !self.notes.isEmpty { $0.member("notes", self.notes) }
        }
    }

    /// What a process of this program has written. Times are read back as texts only, so they are left out.
    package init?(_ json: JSONText) {
        guard let phase = json.string("state").flatMap(OAuthPhase.init(rawValue:)) else { return nil }
        self.init(
            phase: phase, reason: json.string("reason"),
            since: json.string("since").flatMap(UTCTime.init(reading:))?.seconds,
            expires: json.string("expiresAt").flatMap(UTCTime.init(reading:))?.seconds,
            next: json.string("nextRefreshAt").flatMap(UTCTime.init(reading:))?.seconds,
            until: json.string("waitsUntil").flatMap(UTCTime.init(reading:))?.seconds, issuer: json.string("issuer"),
            client: json.string("client"), registration: json.string("registration"), scope: json.string("scope"),
            isRenewable: json.bool("renewable") ?? false, generation: json.int("generation") ?? 0,
            holder: json.string("lockHeldBy"), notes: json.strings("notes"))
    }

    private static func time(_ seconds: Int) -> String { UTCTime(seconds: seconds).text() }
}

extension JSONText {
    /// The strings in the array that this member is; none where it is something else.
    package func strings(_ key: StaticString) -> [String] {
        var strings: [String] = []
        if let array = self.value(key) { array.elements { span in array[span].string.map { strings.append($0) } } }
        return strings
    }
}
