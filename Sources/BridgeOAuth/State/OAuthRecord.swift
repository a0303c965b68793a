package import BridgeConfiguration
package import BridgeCore
package import NIOCore

/// All that is kept of an upstream's OAuth: its state file. What is on the disk is the truth.
package struct OAuthRecord: Sendable, Equatable {
    /// Of the file's form. A later one is refused, and left as it is.
    package static let version = 1
    /// Sign-ins that wait at once.
    private static let mostAttempts = 4
    /// Clients that are kept, as far as nothing needs more.
    private static let mostClients = 12

    /// Counts the tokens. Each set has a number of its own, in every process.
    package var generation = 0
    /// Whose they are: a changed address must not reuse tokens.
    package var upstream: String
    package var server: String
    package var tokens: TokenSet?
    /// Who gave the last tokens that somebody signed in for. It stays when they sign out.
    package var signedInAt: String?
    package var discovered: Discovered?
    package var registrations: [ClientRegistration] = []
    package var attempts: [SignInAttempt] = []
    /// Whether the token endpoint takes no `resource`, or no `scope`.
    package var sendsNoResource = false
    package var sendsNoScope = false
    /// Whether `offline_access` was refused, though the server lists it.
    package var refusesOffline = false
    /// How the token endpoint was last content with the client.
    package var authentication: ClientAuthentication?
    /// Why somebody has to act, since when.
    package var verdict: Verdict?
    /// When clients were registered, in seconds since 1970, the last day's.
    package var registrationTimes: [Double] = []
    /// What calls were refused for want of, and when that was said.
    package var wantedScopes: [String] = []
    package var stepUps: [StepUp] = []

    /// A final word on the tokens, which stay where they are.
    package struct Verdict: Sendable, Equatable {
        package var phase: OAuthPhase
        package var reason: String
        package var since: Double

        package init(phase: OAuthPhase, reason: String, since: Double) {
            self.phase = phase
            self.reason = reason
            self.since = since
        }
    }

    package struct StepUp: Sendable, Equatable {
        package var operation: String
        package var at: Double
    }

    package init(upstream: String, server: String) {
        self.upstream = upstream
        self.server = server
    }

    /// The authorization server that somebody has signed in at, and so knows; nil: nobody has.
    package var knownIssuer: String? {
        self.signedInAt ?? self.tokens.flatMap { $0.issuer.isEmpty ? nil : $0.issuer }
    }

    /// The client that the tokens belong to.
    package var client: ClientRegistration? {
        guard let tokens else { return nil }
        return self.registrations.first { $0.id == tokens.clientID && $0.issuer == tokens.issuer }
            ?? self.registrations.first { $0.id == tokens.clientID }
    }

    /// All of it that nobody may see.
    package var secrets: [Secret] {
        [self.tokens?.access, self.tokens?.refresh].compactMap { $0 } + self.registrations.compactMap(\.secret)
            + self.attempts.flatMap { [$0.verifier, Secret($0.state)] }
    }

    /// Keeps a client in the place of those of its kind with the same server, but for what is still needed of them: a sign-in
    /// that has begun may be left, and the tokens go on.
    package mutating func keep(_ client: ClientRegistration) {
        var kept = self.registrations.filter {
            $0.issuer != client.issuer || ($0.id != client.id && ($0.kind != client.kind || self.needs($0)))
        }
        while kept.count >= Self.mostClients, let at = kept.firstIndex(where: { !self.needs($0) }) {
            kept.remove(at: at)
        }
        self.registrations = kept + [client]
    }

    /// Whether the tokens, or a sign-in that waits, are worth nothing without it.
    private func needs(_ client: ClientRegistration) -> Bool {
        client.id == self.tokens?.clientID
            || self.attempts.contains { $0.issuer == client.issuer && ($0.clientID ?? client.id) == client.id }
    }

    /// Takes newer tokens, which no disk has taken yet, with what was learned along with them.
    package mutating func take(tokensOf newer: OAuthRecord) {
        self.generation = newer.generation
        self.tokens = newer.tokens
        self.signedInAt = newer.signedInAt ?? self.signedInAt
        self.verdict = newer.verdict
        self.authentication = newer.authentication
        self.sendsNoResource = newer.sendsNoResource
        self.sendsNoScope = newer.sendsNoScope
        guard let tokens else { return }
        if let client = newer.client { self.keep(client) }
        if !(self.discovered?.metadata.isOf(tokens.issuer) ?? false) { self.discovered = newer.discovered }
    }

    package mutating func add(_ attempt: SignInAttempt, now: Double) {
        self.attempts.removeAll { $0.isOver(at: now) }
        self.attempts.append(attempt)
        self.attempts = self.attempts.suffix(Self.mostAttempts)
    }

    package mutating func forget(_ attempt: SignInAttempt) { self.attempts.removeAll { $0.state == attempt.state } }
}

// MARK: - The file

extension OAuthRecord {
    package enum Flaw: Error, Equatable, CustomStringConvertible {
        case malformed(String)
        case later(Int)
        case anothers(String)

        package var description: String {
            switch self {
            case .malformed(let words): "it cannot be read: \(words)"
            case .later(let version): "it was written by a later version (\(version))"
            case .anothers(let words): "it is another server's: \(words)"
            }
        }
    }

    package var json: JSONText {
        JSONWriter.object {
            $0.member("version", Self.version)
            $0.member("generation", self.generation)
            $0.member("upstream", self.upstream)
            $0.member("server", self.server)
            $0.member("tokens", ifPresent: self.tokens?.json)
            $0.member("signedInAt", ifPresent: self.signedInAt)
            $0.member("discovered", ifPresent: self.discovered?.json)
            $0.member("registrations", self.registrations.map(\.json))
            $0.member("attempts", self.attempts.map(\.json))
            $0.member("sendsNoResource", self.sendsNoResource)
            $0.member("sendsNoScope", self.sendsNoScope)
            $0.member("refusesOffline", self.refusesOffline)
            $0.member("method", ifPresent: self.authentication?.method.rawValue)
            $0.member("rawBasic", self.authentication?.isRaw ?? false)
            if let verdict {
                $0.memberObject("verdict") {
                    $0.member("state", verdict.phase.rawValue)
                    $0.member("reason", verdict.reason)
                    $0.member("since", verdict.since)
                }
            }
            $0.member("registrationTimes", self.registrationTimes)
            $0.member("wantedScopes", self.wantedScopes)
            $0.memberArray("stepUps") { array in
                for each in self.stepUps {
                    array.object {
                        $0.member("operation", each.operation)
                        $0.member("at", each.at)
                    }
                }
            }
        }
    }

    /// - Parameters:
    ///   - upstream: whose it should be; with `server`.
    package init(reading bytes: ByteBuffer, upstream: String, server: String) throws(Flaw) {
        let json: JSONText
        do throws(JSONError) {
            json = try JSONText(validating: bytes)
        } catch {
            throw .malformed("\(error)")
        }
        guard json.kind == .object, let version = json.int("version") else { throw .malformed("it has no version") }
        guard version <= Self.version else { throw .later(version) }
        guard json.string("upstream") == upstream, json.string("server") == server else {
            throw .anothers(WebAddress(json.string("server") ?? "")?.shown ?? "no address")
        }
        self.init(upstream: upstream, server: server)
        self.generation = json.int("generation") ?? 0
        self.tokens = json.value("tokens").flatMap { TokenSet($0) }
        self.signedInAt = json.string("signedInAt")
        self.discovered = json.value("discovered").flatMap { Discovered($0) }
        self.registrations = json.objects("registrations").compactMap { ClientRegistration($0) }
        self.attempts = json.objects("attempts").compactMap { SignInAttempt($0) }
        self.sendsNoResource = json.bool("sendsNoResource") ?? false
        self.sendsNoScope = json.bool("sendsNoScope") ?? false
        self.refusesOffline = json.bool("refusesOffline") ?? false
        if let method = json.string("method").flatMap(OAuthSettings.ClientMethod.init(rawValue:)) {
            self.authentication = ClientAuthentication(method: method, isRaw: json.bool("rawBasic") ?? false)
        }
        if let verdict = json.value("verdict"),
            let phase = verdict.string("state").flatMap(OAuthPhase.init(rawValue:))
        {
            self.verdict = Verdict(
                phase: phase, reason: verdict.string("reason") ?? "", since: verdict.double("since") ?? 0)
        }
        self.registrationTimes = json.objects("registrationTimes").compactMap(\.double)
        self.wantedScopes = json.strings("wantedScopes")
        self.stepUps = json.objects("stepUps").compactMap { each in
            each.string("operation").map { StepUp(operation: $0, at: each.double("at") ?? 0) }
        }
    }
}

extension JSONText {
    /// The elements of the array that this member is; none where it is something else.
    func objects(_ key: StaticString) -> [JSONText] {
        var elements: [JSONText] = []
        if let array = self.value(key) { array.elements { elements.append(array[$0]) } }
        return elements
    }
}

extension Discovered {
    var json: JSONText {
        JSONWriter.object {
            $0.member("resource", self.resource)
            $0.member("metadata", self.metadata.json)
            $0.member("challengedScope", ifPresent: self.challengedScope)
            $0.member("resourceScopes", ifPresent: self.resourceScopes)
            $0.member("isFallback", self.isFallback)
            $0.member("notes", self.notes)
        }
    }

    init?(_ json: JSONText) {
        guard let resource = json.string("resource"), let text = json.value("metadata"),
            let metadata = try? ServerMetadata(text)
        else { return nil }
        self.init(
            resource: resource, metadata: metadata, challengedScope: json.string("challengedScope"),
            resourceScopes: json.value("resourceScopes").map { _ in json.strings("resourceScopes") },
            isFallback: json.bool("isFallback") ?? false, notes: json.strings("notes"))
    }
}
