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
        func write(_ message: JSONText)
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
    private var isLooking = false
    /// The client's own words, by which a session is opened.
    var hello: StdioMessage?
    var initialized: StdioMessage?
    /// The client's own `initialize`, while it has no answer; everything else waits.
    private var opening: StdioPost?
    /// The bridge does not know the session any more.
    var isLost = false
    /// Opens another session; everything else waits.
    var renewal: StdioPost?
    var listening: MCPListening?
    private var posts: [ObjectIdentifier: StdioPost] = [:]
    private var octets = 0
    /// Those that wait for the bridge, in their order.
    private var held: [StdioPost] = []
    var remembered = RememberedLists()
    private var awaySince: NIODeadline?
    private var pace = ReconnectPace()
    private var timer: Scheduled<Void>?
    var isReading = true
    private var isFinishing = false
    var isOver = false

    init(_ settings: StdioSettings, _ connections: HTTPConnections, _ output: any Output) {
        self.settings = settings
        self.connections = connections
        self.output = output
    }

    /// Lines under way, and their bytes.
    var load: (lines: Int, octets: Int) { (self.posts.count, self.octets) }

    /// Takes a line of the client.
    func received(_ line: ByteBuffer) {
        let message: StdioMessage
        do throws(StdioMessage.Problem) { message = try StdioMessage(line) } catch {
            guard case .refused(let words, let answer) = error else { return }
            StdioNotes.say(words)
            if let answer { self.output.write(JSONText(trusting: answer)) }
            return
        }
        if message.isInitialize { self.hello = message }
        for question in message.answered { for post in self.posts.values { post.answered(question) } }
        if let id = message.cancelled, self.cancel(id) { return }
        self.begin(message)
    }

    func begin(_ message: StdioMessage) {
        let post = StdioPost(message, self)
        if message.isInitialize { self.opening = self.opening ?? post }
        self.posts[ObjectIdentifier(post)] = post
        self.octets += post.message.bytes.readableBytes
        self.send(post)
        self.output.changed(self)
    }

    /// The client has nothing more to say: what is under way is waited for.
    func finish() {
        self.isFinishing = true
        self.loop.assumeIsolated().scheduleTask(in: StdioSettings.farewell) { self.leave() }
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
        for post in self.posts.values { post.read(isReading) }
    }

    private func leaveWhenDone() {
        if self.isFinishing, self.posts.isEmpty { self.leave() }
    }

    /// - Returns: whether the request has not left yet, so that the bridge need not hear.
    private func cancel(_ id: RPCID) -> Bool {
        for post in self.posts.values where post.take(id) != nil {
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
        guard let destination = self.destination else {
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

    /// Finds out where MCP is.
    private func look() {
        guard !self.isLooking else { return }
        do {
            guard let address = try self.settings.address() else { return self.missed("no address") }
            guard address.isSocket, let root = try self.settings.rootAddress() else { return self.found(address) }
            self.isLooking = true
            let request = HTTPRequest(.GET, root, limits: TransferLimits(total: .seconds(10)))
            self.connections.reply(to: request, maximumBody: 1 << 20).assumeIsolated().whenComplete { result in
                self.isLooking = false
                switch result {
                case .success(let reply):
                    self.found((try? self.settings.address(path: ServicePath.mcp(in: reply))) ?? address)
                case .failure(let error): self.missed("\(error)")
                }
            }
        } catch {
            self.missed("\(error)")
        }
    }

    private func found(_ address: HTTPAddress?) {
        guard let address else { return self.missed("no address") }
        self.destination = MCPDestination(address)
        self.sendHeld()
    }

    /// Nobody is there: those that wait go on waiting for as long as they may.
    func missed(_ reason: String) {
        let held = self.held
        self.held = []
        for post in held { self.away(post, reason) }
    }

    /// A post could not be sent, and has not run.
    func away(_ post: StdioPost, _ reason: String) {
        let now = NIODeadline.now()
        let since = self.awaySince ?? now
        if self.awaySince == nil {
            self.awaySince = since
            StdioNotes.say(
                "no bridge answers; trying again",
                ["place": self.settings.name, "reason": reason, "do": self.settings.advice])
        }
        for request in post.open {
            guard let answer = self.remembered.answer(to: request), post.take(request.id) != nil else { continue }
            self.output.write(JSONText(trusting: answer))
        }
        let deadline = post.deadline ?? max(since + StdioSettings.patience, now)
        post.deadline = deadline
        guard now < deadline, !post.open.isEmpty || post.message.requests.isEmpty else {
            for request in post.open {
                self.refuse(
                    request,
                    Fault.bridgeUnavailable.told(["place": self.settings.name, "advice": self.settings.advice]))
            }
            return self.close(post)
        }
        self.hold(post)
        self.tryAgain(by: deadline)
    }

    private func tryAgain(by deadline: NIODeadline) {
        guard self.timer == nil, !self.isOver else { return }
        let time = min(NIODeadline.now() + self.pace.failed(), deadline)
        self.timer = self.loop.assumeIsolated().scheduleTask(deadline: time) {
            self.timer = nil
            self.sendHeld()
        }
    }

    /// The bridge is there.
    func present() {
        self.pace.succeeded()
        guard self.awaySince != nil else { return }
        self.awaySince = nil
        StdioNotes.say("the bridge is there again", ["place": self.settings.name])
        self.timer?.cancel()
        self.timer = nil
        self.sendHeld()
    }

    func refuse(_ request: StdioMessage.Request, _ fault: ToldFault) {
        self.output.write(JSONText(trusting: fault.reply(to: request.id.bytes)))
    }

    func close(_ post: StdioPost) {
        post.drop()
        self.held.removeAll { $0 === post }
        if self.posts.removeValue(forKey: ObjectIdentifier(post)) != nil {
            self.octets -= post.message.bytes.readableBytes
        }
        self.output.changed(self)
        if post === self.opening {
            self.opening = nil
            self.sendHeld()
        }
        self.leaveWhenDone()
    }
}
