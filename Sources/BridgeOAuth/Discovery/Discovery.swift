package import BridgeConfiguration
import BridgeCore

/// Finds out who gives tokens for a server (RFC 9728, RFC 8414), in the order that servers need.
///
/// Pure: it asks nobody. Each step is a request, whose answer goes to ``answered(_:now:)``.
package struct Discovery: Sendable {
    package enum Step: Sendable, Equatable {
        case ask(WebRequest)
        case found(Discovered)
        case failed(DiscoveryFailure)
    }

    private enum Place: Sendable, Equatable {
        /// At this address, of the resource; the ones behind it follow.
        case resource([String])
        /// Of this issuer, at these addresses; further issuers follow.
        case server(issuer: String, forms: [String], others: [String])
        case over
    }

    private let server: WebAddress
    private let settings: OAuthSettings
    private let challenge: BearerChallenge?
    /// Whether the server has said that it wants a token.
    private let isChallenged: Bool
    /// Whose grant there is already.
    private let bound: String?
    private var place = Place.over
    private var resource: ResourceMetadata?
    private var notes: [String] = []
    /// What documents said that were of no use.
    private var flaws: [String] = []
    /// What was refused though it may be there: whoever wants it can say so.
    private var refusal: String?

    /// - Parameters:
    ///   - server: the upstream's own address.
    ///   - challenge: what it said with its 401.
    ///   - bound: the issuer of the tokens that there are; it is kept as long as the resource names it.
    package init?(
        _ server: String, settings: OAuthSettings, challenge: BearerChallenge?, isChallenged: Bool, bound: String? = nil
    ) {
        guard let server = WebAddress(server) else { return nil }
        self.server = server
        self.settings = settings
        self.challenge = challenge
        self.isChallenged = isChallenged
        self.bound = bound
    }

    package mutating func begin() -> Step {
        var places = WellKnown.resource(of: self.server)
        if let named = self.challenge?.resourceMetadata, let address = WebAddress(named), self.mayBeAsked(address) {
            if !address.isSameOrigin(as: self.server) {
                self.notes.append("its metadata lies at another server: \(address.shown)")
            }
            places = [named] + places.filter { $0 != named }
        }
        self.place = .resource(places)
        return self.ask(places[0])
    }

    private func mayBeAsked(_ address: WebAddress) -> Bool {
        address.fragment == nil && !address.hasUserInfo && address.isSafe && self.mayLead(to: address)
    }

    /// Whoever is far leads to nothing that is near: else a server somewhere could have this machine, and its network, asked
    /// what it likes. What the configuration names is the owner's own word.
    private func mayLead(to address: WebAddress) -> Bool {
        let configured = self.settings.issuer.flatMap { WebAddress($0) }?.reach ?? .world
        return address.reach >= min(self.server.reach, configured)
    }

    private func ask(_ url: String) -> Step {
        .ask(WebRequest(.get, url, headers: [WebHeader("MCP-Protocol-Version", "2025-11-25")]))
    }

    package mutating func answered(_ answer: WebAnswer, now: Moment) -> Step {
        switch Fetched(answer, now: now) {
        case .trouble(let words, let retry): return .failed(.transient(self.sentence(words), retryAfter: retry))
        case .nothing(let words): return self.next(words)
        case .document(let reply):
            switch self.place {
            case .resource: return self.heard(resource: reply)
            case .server(let issuer, _, _): return self.heard(server: reply, issuer)
            case .over: return .failed(.refused("the discovery was over"))
            }
        }
    }

    private func sentence(_ words: String) -> String {
        switch self.place {
        case .resource(let places): "\(Self.shown(places.first)): \(words)"
        case .server(_, let forms, _): "\(Self.shown(forms.first)): \(words)"
        case .over: words
        }
    }

    private static func shown(_ url: String?) -> String { url.flatMap { WebAddress($0) }?.shown ?? "it" }

    /// What was asked for is not there.
    private mutating func next(_ words: String) -> Step {
        self.flaws.append(self.sentence(words))
        switch self.place {
        case .resource(let places):
            let rest = Array(places.dropFirst())
            self.place = .resource(rest)
            return rest.first.map { self.ask($0) } ?? self.withoutResource()
        case .server(let issuer, let forms, let others):
            let rest = Array(forms.dropFirst())
            if let form = rest.first {
                self.place = .server(issuer: issuer, forms: rest, others: others)
                return self.ask(form)
            }
            return self.look(for: others) ?? self.withoutServer()
        case .over: return .failed(.refused(words))
        }
    }

    private mutating func heard(resource reply: WebReply) -> Step {
        guard let resource = ResourceMetadata(reply.body) else { return self.next("it is no resource metadata") }
        if case .uri = self.settings.resource {
            // Whoever configures it knows better.
        } else if !resource.isOf(self.server) {
            return .failed(
                .refused(
                    "its metadata is of another resource: it says '\(ForeignWords.short(resource.resource))', and the server "
                        + "is '\(self.server.shown)' (oauth.resource says otherwise)"))
        }
        self.resource = resource
        let issuers = resource.authorizationServers
        if let bound, !issuers.isEmpty, !issuers.contains(where: { Self.isSame($0, bound) }) {
            self.notes.append(
                "its authorization server has changed: it was \(bound) and is \(ForeignWords.short(issuers[0]))")
        }
        var wanted = issuers
        if let issuer = self.settings.issuer {
            wanted = issuers.filter { Self.isSame($0, issuer) }
            guard !wanted.isEmpty || issuers.isEmpty else {
                return .failed(
                    .refused(
                        "it names \(issuers.map(ForeignWords.short).joined(separator: ", ")), and the client is for "
                            + "\(issuer) (oauth.issuer)"))
            }
        } else if let bound, let listed = issuers.first(where: { Self.isSame($0, bound) }) {
            wanted = [listed]
        }
        return self.look(for: wanted) ?? self.withoutResource()
    }

    private static func isSame(_ one: String, _ other: String) -> Bool {
        ServerMetadata.withoutRootSlash(one) == ServerMetadata.withoutRootSlash(other)
    }

    /// - Returns: nil where there is none that may be asked.
    private mutating func look(for issuers: [String]) -> Step? {
        var others = issuers
        while !others.isEmpty {
            let issuer = others.removeFirst()
            guard let address = WebAddress(issuer), address.isSafe else {
                self.flaws.append("the issuer '\(ForeignWords.short(issuer))' is no https address")
                continue
            }
            guard self.mayLead(to: address) else {
                self.flaws.append(self.tooNear("the issuer", address))
                continue
            }
            let forms = WellKnown.authorizationServer(address)
            self.place = .server(issuer: issuer, forms: forms, others: others)
            return self.ask(forms[0])
        }
        return nil
    }

    private mutating func heard(server reply: WebReply, _ issuer: String) -> Step {
        let metadata: ServerMetadata
        do throws(ServerMetadata.Flaw) {
            metadata = try ServerMetadata(reply.body)
        } catch {
            return self.next(error.description)
        }
        guard metadata.isOf(issuer) else {
            return self.next(
                "its issuer is '\(ForeignWords.short(metadata.issuer))', and not '\(ForeignWords.short(issuer))'")
        }
        if let near = metadata.endpoints.compactMap({ WebAddress($0) }).first(where: { !self.mayLead(to: $0) }) {
            return self.next(self.tooNear("the endpoint", near))
        }
        return self.found(metadata, isFallback: false)
    }

    private mutating func tooNear(_ what: String, _ address: WebAddress) -> String {
        let words =
            "\(what) \(ForeignWords.short(address.shown)) is this machine's or its network's own, and the server that leads "
            + "there is not (oauth.issuer says otherwise)"
        self.refusal = words
        return words
    }

    /// As servers of the revision 2025-03-26 have it: the server is its own authorization server.
    private mutating func withoutResource() -> Step {
        let issuer = self.settings.issuer ?? self.server.origin
        return self.look(for: [issuer]) ?? self.withoutServer()
    }

    private mutating func withoutServer() -> Step {
        guard self.resource == nil, self.settings.issuer == nil, self.isChallenged, self.server.isSafe else {
            let words = self.refusal ?? self.flaws.last ?? "nothing is there"
            return .failed(.refused("it is not to be found out who gives tokens for this server: \(words)"))
        }
        self.notes.append("it has no metadata: the paths of the revision 2025-03-26 are tried")
        return self.found(ServerMetadata(fallbackAt: self.server.origin), isFallback: true)
    }

    private mutating func found(_ metadata: ServerMetadata, isFallback: Bool) -> Step {
        self.place = .over
        return .found(
            Discovered(
                resource: self.resource?.resource ?? Self.canonical(self.server), metadata: metadata,
                challengedScope: self.challenge?.scope, resourceScopes: self.resource?.scopes, isFallback: isFallback,
                notes: self.notes))
    }

    /// The server's own address without a lone slash at its end (RFC 8707; basic/authorization).
    private static func canonical(_ server: WebAddress) -> String {
        guard server.query == nil, server.path.hasSuffix("/") else {
            return server.origin + server.path + (server.query.map { "?\($0)" } ?? "")
        }
        return server.origin + server.path.dropLast()
    }
}

/// Who gives tokens for a server, and for what.
package struct Discovered: Sendable, Equatable {
    /// What is sent as `resource`, as the server gave it.
    package var resource: String
    package var metadata: ServerMetadata
    package var challengedScope: String?
    package var resourceScopes: [String]?
    /// Whether nothing was found, and is guessed.
    package var isFallback: Bool
    /// Sentences for people.
    package var notes: [String]

    package init(
        resource: String, metadata: ServerMetadata, challengedScope: String? = nil, resourceScopes: [String]? = nil,
        isFallback: Bool = false, notes: [String] = []
    ) {
        self.resource = resource
        self.metadata = metadata
        self.challengedScope = challengedScope
        self.resourceScopes = resourceScopes
        self.isFallback = isFallback
        self.notes = notes
    }
}

package enum DiscoveryFailure: Error, Sendable, Equatable {
    /// Another time it may be another outcome. Nothing is told by it.
    case transient(String, retryAfter: Int?)
    case refused(String)

    package var words: String {
        switch self {
        case .transient(let words, _), .refused(let words): words
        }
    }
}

/// What came where a document was looked for.
enum Fetched {
    case document(WebReply)
    /// It is not there.
    case nothing(String)
    /// That says nothing about whether it is there.
    case trouble(String, retryAfter: Int?)

    init(_ answer: WebAnswer, now: Moment) {
        switch answer {
        case .failed(let words, _): self = .trouble(words, retryAfter: nil)
        case .reply(let reply):
            switch reply.status {
            case 200: self = .document(reply)
            case 429, 500...:
                self = .trouble("status \(reply.status)", retryAfter: Patience.seconds(reply, now: now.wall))
            case 408, 425: self = .trouble("status \(reply.status)", retryAfter: nil)
            default: self = .nothing("status \(reply.status)")
            }
        }
    }
}
