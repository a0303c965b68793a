import BridgeCore
import BridgeHTTPClient
import BridgeMCP
import NIOCore
import NIOHTTP1

/// Carries a client's lines to a bridge over HTTP, and what the bridge says back. On the event loop.
///
/// The session is the client's: its own `initialize` opens it. It outlives connections and restarts of the bridge; where
/// the bridge does not know it any more, it is opened anew by the same words, and the client does not notice.
final class StdioRelay {
    /// Where its words go. Called on the event loop.
    protocol Output: AnyObject, Sendable {
        /// Something that the bridge says.
        func write(_ message: JSONText)
        /// An answer of our own.
        func answer(_ answer: ByteBuffer)
        /// More is under way, or less, or something was written.
        func changed(_ relay: StdioRelay)
        /// Everything has been said.
        func finished()
    }

    let settings: StdioSettings
    let connections: HTTPConnections
    let output: any Output
    var loop: any EventLoop { self.connections.loop }

    var destination: MCPDestination?
    /// Whether the bridge may have come elsewhere since it was looked for.
    var isStale = false
    /// Whether the session is gone, unless the bridge has come elsewhere.
    var isDoubted = false
    var isLooking = false
    /// The client's own words, by which a session is opened.
    var hello: StdioMessage?
    var initialized: StdioMessage?
    /// The client's own `initialize`, while it has no answer; everything else waits.
    private var opening: StdioPost?
    /// The bridge does not know the session any more.
    var isLost = false
    /// Opens another session; everything else waits.
    var renewal: StdioPost?
    /// The client's `initialized` in a session that has been opened again: what it has asked of the old one follows.
    private var introduction: StdioPost?
    var wishes = StdioWishes()
    var listening: MCPListening?
    private var posts: [ObjectIdentifier: StdioPost] = [:]
    private var octets = 0
    /// Those that wait for the bridge, in their order.
    private var held: [StdioPost] = []
    var remembered: RememberedLists
    /// Lists that the client was given out of the file, and that the bridge is asked for now.
    var guesses: [RememberedLists.Guess] = []
    private(set) var awaySince: NIODeadline?
    private var pace = ReconnectPace()
    private var timer: Scheduled<Void>?
    var isReading = true
    private var isFinishing = false
    var isOver = false

    init(_ settings: StdioSettings, _ connections: HTTPConnections, _ output: any Output) {
        self.settings = settings
        self.remembered = RememberedLists(settings.warm)
        self.connections = connections
        self.output = output
    }

    /// What is under way.
    var load: StdioIntake.Amount { StdioIntake.Amount(lines: self.posts.count, octets: self.octets) }

    /// Takes a line of the client. Who calls it looks at the load afterwards.
    func received(_ message: StdioMessage) {
        if message.isInitialize { self.hello = message }
        for question in message.answered { for post in self.posts.values { post.answered(question) } }
        let held = message.cancelled.filter { self.cancel($0) }
        // The rest of a batch goes on.
        if message.isSingle, !held.isEmpty { return }
        self.begin(message)
    }

    @discardableResult
    func begin(_ message: StdioMessage, isOwn: Bool = false) -> StdioPost {
        let post = StdioPost(message, self, isOwn: isOwn)
        if message.isInitialize { self.opening = self.opening ?? post }
        self.posts[ObjectIdentifier(post)] = post
        self.octets += message.octets
        self.send(post)
        return post
    }

    /// Asks a new session for what the client has asked of the old one.
    func introduce() {
        self.introduction = nil
        for post in self.posts.values where post.isOwn { self.close(post) }
        let post = self.initialized.map { self.begin($0, isOwn: true) }
        if let post, self.posts[ObjectIdentifier(post)] != nil { self.introduction = post } else { self.wish() }
    }

    private func wish() {
        for request in self.wishes.requests {
            if let message = try? StdioMessage(request) { self.begin(message, isOwn: true) }
        }
        self.output.changed(self)
    }

    /// The client has closed its end.
    func part() { self.loop.assumeIsolated().scheduleTask(in: self.settings.farewell) { self.leave() } }

    /// The client has nothing more to say: what is under way is waited for.
    func finish() {
        self.isFinishing = true
        self.leaveWhenDone()
    }

    /// Takes its leave of the bridge at once.
    func leave() {
        guard !self.isOver else { return }
        self.isOver = true
        self.timer?.cancel()
        self.listening?.cancel()
        for post in self.posts.values { post.drop() }
        self.renewal?.drop()
        let output = self.output
        guard let destination, destination.session != nil, self.awaySince == nil else { return output.finished() }
        var request = destination.delete()
        request.limits.total = .seconds(1)
        self.connections.reply(to: request, maximumBody: 1 << 16).whenComplete { _ in output.finished() }
    }

    /// Back pressure of whoever reads our output.
    func read(_ isReading: Bool) {
        self.isReading = isReading
        self.listening?.isReading = isReading
        for post in self.posts.values { post.isReading = isReading }
        self.renewal?.isReading = isReading
    }

    private func leaveWhenDone() {
        if self.isFinishing, self.posts.isEmpty { self.leave() }
    }

    /// - Returns: whether the request has not left yet, so that the bridge need not hear.
    private func cancel(_ id: RPCID) -> Bool {
        for post in self.posts.values where !post.isOwn && !post.message.isInitialize && post.take(id) != nil {
            guard !post.isUnderWay, post.open.isEmpty else { return false }
            self.close(post)
            return true
        }
        return false
    }
}

// Sending.
extension StdioRelay {
    func send(_ post: StdioPost) {
        guard !self.isOver else { return }
        if let opening, post !== opening, post !== self.renewal { return self.hold(post) }
        if self.isLost, post !== self.renewal, !post.message.isInitialize {
            self.hold(post)
            return self.renew()
        }
        guard let destination = self.destination, !self.isStale else {
            self.hold(post)
            return self.look()
        }
        var own = destination
        if post.message.isInitialize {
            own.session = nil
            own.revision = nil
        }
        post.send(to: own, over: self.connections, isReading: self.isReading)
    }

    func hold(_ post: StdioPost) {
        if !self.held.contains(where: { $0 === post }) { self.held.append(post) }
    }

    func sendHeld() {
        let held = self.held
        self.held = []
        for post in held { self.send(post) }
    }

    /// Nobody is there: those that wait go on waiting for as long as they may.
    func missed(_ reason: String) {
        var held = self.held
        self.held = []
        if let renewal, held.contains(where: { $0 === renewal }) {
            renewal.drop()
            self.renewal = nil
            held.removeAll { $0 === renewal }
        }
        for post in held { self.away(post, reason) }
        if self.isDoubted || self.isLost { self.tryAgain(by: .distantFuture) }
    }

    /// A post could not be sent, and has not run.
    func away(_ post: StdioPost, _ reason: String) {
        self.isStale = self.settings.isLocal
        let now = NIODeadline.now()
        let since = self.awaySince ?? now
        if self.awaySince == nil {
            self.awaySince = since
            self.settings.notes.say(
                "no bridge answers; trying again",
                ["place": self.settings.name, "reason": reason, "do": self.settings.advice])
        }
        for request in post.open where !post.isOwn {
            guard let answer = self.remembered.answer(to: request, for: self.hello?.hello), post.take(request.id) != nil
            else { continue }
            self.output.answer(answer)
        }
        let deadline = post.deadline ?? max(since + self.patience(for: post), now)
        post.deadline = deadline
        guard now < deadline, !post.open.isEmpty || post.message.requests.isEmpty else {
            self.goOnWithout(post)
            self.refuse(
                post, Fault.bridgeUnavailable.told(["place": self.settings.name, "advice": self.settings.advice]))
            return self.close(post)
        }
        self.hold(post)
        self.tryAgain(by: deadline)
    }

    func tryAgain(by deadline: NIODeadline) {
        guard self.timer == nil, !self.isOver else { return }
        let time = min(NIODeadline.now() + self.pace.failed(), deadline)
        self.timer = self.loop.assumeIsolated().scheduleTask(deadline: time) {
            self.timer = nil
            self.sendHeld()
            if self.isLost, self.opening == nil { self.renew() }
            if self.isDoubted { self.look() }
        }
    }

    /// The bridge is there.
    func present() {
        self.pace.succeeded()
        guard self.awaySince != nil else { return }
        self.awaySince = nil
        self.settings.notes.say("the bridge is there again", ["place": self.settings.name])
        self.timer?.cancel()
        self.timer = nil
        self.sendHeld()
    }

    func refuse(_ post: StdioPost, _ fault: ToldFault) { self.answer(post) { fault.reply(to: $0.id.bytes) } }

    /// Answers what has no answer.
    func answer(_ post: StdioPost, _ reply: (StdioMessage.Request) -> ByteBuffer) {
        for request in post.open where post.take(request.id) != nil && !post.isOwn {
            self.output.answer(reply(request))
        }
    }

    func close(_ post: StdioPost) {
        post.drop()
        self.held.removeAll { $0 === post }
        if self.posts.removeValue(forKey: ObjectIdentifier(post)) != nil {
            self.octets -= post.message.octets
        }
        self.output.changed(self)
        if post === self.opening {
            self.opening = nil
            self.sendHeld()
        }
        if post === self.introduction {
            self.introduction = nil
            self.wish()
        }
        self.leaveWhenDone()
    }
}
