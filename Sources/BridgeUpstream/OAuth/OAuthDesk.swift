import BridgeConfiguration
import BridgeCore
import BridgeOAuth
import Logging
import NIOCore

/// Hears of one desk, on the event loop.
protocol OAuthDeskDelegate: AnyObject {
    /// Its report is another one.
    func deskChanged(_ desk: OAuthDesk)
    /// There are tokens where there were none that were good: what waited may be tried.
    func deskHasTokens(_ desk: OAuthDesk)
    /// The same, and they are somebody else's perhaps.
    func deskHasSignedIn(_ desk: OAuthDesk)
}

/// An upstream's tokens: has them refreshed as its ``TokenKeeper`` says, signs in as its ``SignIn`` says, and gives each request
/// the token of the hour. Confined to its event loop.
final class OAuthDesk {
    /// A timer alone sleeps through a suspend: the time of day is looked at as often.
    static let lookInterval = TimeAmount.seconds(15)

    weak var delegate: (any OAuthDeskDelegate)?
    let loop: any EventLoop
    let logger: Logger
    let settings: OAuthSettings
    let upstream: String
    let server: String
    let version: String
    let files: OAuthFiles
    let http: OAuthHTTP
    let now: () -> Moment
    /// nil until the state has been read.
    var keeper: TokenKeeper? {
        didSet {
            self.given = nil
            self.isDoubted = self.keeper?.isDoubted ?? false
        }
    }
    /// Why it cannot be read, and whether that is for what stands in it.
    var trouble: String?
    var isMalformed = false
    var flight: RefreshFlight?
    /// Changes of the state that wait for a flight to be over, and whether one is being written.
    var changes: [(RecordChange, (Result<OAuthRecord, any Error>) -> Void)] = []
    var signIn: SignIn?
    /// Counts sign-ins: what comes for an earlier one is not listened to.
    var signInNumber = 0
    var invitation: SignInInvitation?
    var onInvitation: ((OAuthAnswer) -> Void)?
    var waiters: [(OAuthAnswer) -> Void] = []
    var challenge: BearerChallenge?
    private var settled: [() -> Void] = []
    /// What requests are sent with, good until the keeper changes or its time comes: it is asked for with each of them.
    private var given: (bearer: BearerCredential, until: Moment?)?
    /// As the keeper has it: it is asked for with each answer.
    private(set) var isDoubted = false
    var alarm: Scheduled<Void>?
    var isEnded = false
    var isClosed = false
    var onClosed: [() -> Void] = []
    var isWriting = false
    var isSaving = false
    var isProbing = false
    /// When it may next be looked up which rights are missing.
    var nextLookForRights: Moment?
    /// Whether the server's metadata has said that it wants a token, where its answers do not.
    var wantsToken = false
    var clientBackoff = Backoff(base: .seconds(1), maximum: .seconds(300))
    var nextClientSignIn: Moment?

    init(
        _ settings: OAuthSettings, _ configuration: UpstreamConfiguration, _ target: RemoteTarget, seal: StateSeal,
        loop: any EventLoop, logger: Logger, now: @escaping () -> Moment = { .now }
    ) {
        self.settings = settings
        self.upstream = configuration.name
        self.server = target.url.value
        self.version = configuration.version
        self.loop = loop
        self.logger = logger
        self.now = now
        self.files = OAuthFiles(
            folder: settings.folder, upstream: configuration.name, server: target.url.value, seal: seal)
        self.http = OAuthHTTP(target, loop: loop)
    }

    // MARK: Start

    /// Reads the state. Requests wait for it.
    func start() { self.load() }

    private func load() {
        guard !self.isEnded, self.keeper == nil else { return }
        let older = self.settings.olderState
        let redirects = self.settings.redirects
        self.files.run(on: self.loop) { files -> (OAuthFiles.Contents, Bool) in
            let contents = try files.read()
            guard contents.record == nil, let older,
                let record = try files.importOlder(older, redirects: redirects)
            else { return (contents, false) }
            return (OAuthFiles.Contents(record: record), true)
        }.assumeIsolated().whenComplete { result in
            guard !self.isEnded, self.keeper == nil else { return }
            switch result {
            case .success(let (contents, isImported)): self.loaded(contents, isImported)
            case .failure(let error):
                if case .malformed? = error as? OAuthRecord.Flaw { self.isMalformed = true }
                self.couldNotLoad("\(error)")
            }
        }
    }

    /// Somebody signs in although the state cannot be read: it begins anew, and what there was is kept beside it.
    func beginAnew() {
        guard self.keeper == nil, self.isMalformed else { return }
        self.trouble = nil
        let record = OAuthRecord(upstream: self.upstream, server: self.server)
        self.keeper = TokenKeeper(record, settings: self.settings, now: self.now(), draw: 0)
    }

    private func loaded(_ contents: OAuthFiles.Contents, _ isImported: Bool) {
        if isImported {
            self.logger.notice("The OAuth state of mcp-bridge for Node was taken over; its file is renamed")
        }
        self.trouble = nil
        let record = contents.record ?? OAuthRecord(upstream: self.upstream, server: self.server)
        self.keeper = TokenKeeper(record, settings: self.settings, now: self.now(), draw: .random(in: 0..<1))
        // What an earlier life has left behind is looked at soon, not only when the token is due.
        let isOpen =
            contents.intent?.generation == record.generation
            || (contents.answer.map { $0.generation >= record.generation } ?? false)
        if isOpen, record.tokens != nil {
            self.perform(self.keeper?.recover(self.now()) ?? .none)
        } else {
            self.changed()
        }
    }

    private func couldNotLoad(_ words: String) {
        if self.trouble != words {
            self.logger.error("OAuth state cannot be read; it is left as it is", metadata: ["error": "\(words)"])
        }
        self.trouble = words
        self.delegate?.deskChanged(self)
        self.releaseSettled()
        self.loop.assumeIsolated().scheduleTask(in: Self.lookInterval) { [weak self] in self?.load() }
    }

    // MARK: Time

    private func rearm() {
        self.alarm?.cancel()
        guard !self.isEnded else { return }
        let now = self.now()
        var wait = Self.lookInterval
        if let left = self.keeper?.deadline?.left(from: now) {
            wait = min(wait, .milliseconds(max(Int64(left * 1_000) + 10, 100)))
        }
        self.alarm = self.loop.assumeIsolated().scheduleTask(in: wait) { [weak self] in self?.look() }
    }

    private func look() {
        if let action = self.keeper?.tick(self.now()) { self.perform(action) } else { self.rearm() }
        self.save()
    }

    // MARK: What the keeper wants

    func perform(_ action: TokenKeeper.Action) {
        switch action {
        case .none: break
        case .refresh where self.isEnded, .rediscover where self.isEnded, .reread where self.isEnded: break
        case .refresh(let generation):
            var flight = RefreshFlight(
                generation: generation, settings: self.settings, unsaved: self.keeper?.unsaved)
            let first = flight.begin()
            self.flight = flight
            self.fly(first)
        case .rediscover: self.rediscover()
        case .reread: self.reread()
        case .keep(let change):
            self.change(change) { [weak self] result in
                if case .failure(let error) = result { self?.couldNotKeep(error) }
            }
        }
        self.changed()
    }

    func couldNotKeep(_ error: any Error) {
        self.logger.error("OAuth state cannot be written", metadata: ["error": "\(error)"])
    }

    /// Something may be another way than before.
    func changed() {
        self.rearm()
        if self.credential != .wait { self.releaseSettled() }
        self.delegate?.deskChanged(self)
    }

    func releaseSettled() {
        let settled = self.settled
        self.settled = []
        for body in settled { self.loop.assumeIsolated().execute(body) }
    }

    // MARK: Changes of the state

    /// Writes a change down; not while a flight has the state in its hands.
    func change(_ change: RecordChange, _ done: @escaping (Result<OAuthRecord, any Error>) -> Void) {
        self.changes.append((change, done))
        self.writeOn()
    }

    func writeOn() {
        guard self.flight == nil, !self.isWriting, !self.changes.isEmpty else { return self.closeWhenDone() }
        let (change, done) = self.changes.removeFirst()
        let (now, unsaved) = (self.now().wall, self.keeper?.unsaved)
        self.isWriting = true
        self.files.run(on: self.loop) { try $0.change(change, over: unsaved, now: now) }.assumeIsolated()
            .whenComplete { result in
                self.isWriting = false
                if case .success(let record) = result { self.wrote(record.generation) }
                done(result)
                self.writeOn()
            }
    }

    /// Tokens up to this generation are on the disk.
    private func wrote(_ generation: Int) {
        guard let unsaved = self.keeper?.unsaved, unsaved.generation <= generation else { return }
        self.keeper?.saved()
    }

    /// Newer tokens than the file's are written as soon as the disk takes them.
    func save() {
        guard let record = self.keeper?.unsaved, !self.isSaving, self.flight == nil else { return }
        self.isSaving = true
        self.files.run(on: self.loop) { try $0.save(record) }.assumeIsolated().whenComplete { result in
            self.isSaving = false
            switch result {
            case .success:
                self.wrote(record.generation)
                self.changed()
            case .failure(let error):
                self.logger.error(
                    "New tokens are in memory only, the disk does not take them", metadata: ["error": "\(error)"])
            }
            self.closeWhenDone()
        }
    }
}

// MARK: - What requests are sent with

extension OAuthDesk: TokenSource {
    var credential: BearerCredential {
        let now = self.now()
        if let given, !(given.until?.isPast(now) ?? false) { return given.bearer }
        guard let keeper else {
            return self.trouble.map { .refuse("its OAuth state cannot be read: \($0)") } ?? .wait
        }
        switch keeper.credential(now) {
        case .none: return .none
        case .token(let token, let generation):
            let bearer = BearerCredential.bearer("Bearer \(token.value)", generation: generation)
            self.given = (bearer, keeper.tokenEnd)
            return bearer
        case .wait: return .wait
        case .refuse(let words): return .refuse(words)
        }
    }

    var hindrance: String {
        let reason = self.report.reason.map { ": \($0)" } ?? ""
        return "its token has ended, and another is not to be had yet\(reason)"
    }

    func whenSettled(_ body: @escaping () -> Void) {
        guard !self.isEnded else { return }
        self.settled.append(body)
        guard let action = self.keeper?.wanted(self.now()) else { return }
        if action == .none { self.rearm() } else { self.perform(action) }
    }
}
