import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// One request and its answer. Confined to its event loop.
package final class HTTPTransfer {
    private enum State { case waiting, body, over }

    private let client: HTTPClient
    private let direct: DirectConnections?
    private let loop: any EventLoop
    private var request: HTTPRequest
    private var delegate: (any HTTPTransferDelegate)?
    private var state = State.waiting
    private(set) var course: (any HTTPCourse)?
    /// Counts the requests: one, and one more for each redirect. What an earlier one still says is not listened to.
    private var hop = 0
    private var isStarting = false
    private var clock: TransferClock
    private var timer: Scheduled<Void>?
    /// Keeps the library from reading on.
    private var held: EventLoopPromise<Void>?

    /// Whether anything of the request may have reached the server that it was last sent to.
    package private(set) var isSent = false

    init(
        _ request: HTTPRequest, delegate: any HTTPTransferDelegate, client: HTTPClient, direct: DirectConnections?,
        loop: any EventLoop
    ) {
        self.request = request
        self.delegate = delegate
        self.client = client
        self.direct = direct
        self.loop = loop
        self.clock = TransferClock(request.limits, now: .now())
    }

    /// Where the request was last sent to.
    package var address: HTTPAddress { self.request.address }

    package var isOver: Bool { self.state == .over }

    /// Back pressure: when it is false, no further piece is read once the library has handed over the one it has.
    package var isReading = true {
        didSet {
            guard self.isReading != oldValue, self.state != .over else { return }
            if self.isReading {
                self.listen()
                self.arm()
                self.release()
            } else {
                self.clock.ignoreSilence()
            }
        }
    }

    /// Ends it at once, without a word to the delegate. The connection is closed unless the answer was over.
    package func cancel() {
        guard self.state != .over else { return }
        self.finish()?.cancel()
    }

    func start() {
        self.isStarting = true
        defer { self.isStarting = false }
        self.arm()
        self.sendRequest()
    }

    private func sendRequest() {
        self.hop += 1
        self.isSent = false
        let hop = self.hop
        do {
            if let direct, self.request.address.isPlain {
                self.course = try direct.send(self.request, for: self, hop: hop)
            } else {
                let relay = HTTPRelay(self, hop: hop, loop: self.loop)
                try relay.send(self.request, by: self.client, on: self.loop)
                self.course = relay
            }
        } catch {
            self.failed(error, hop: hop)
        }
    }

    // What the library says

    func headSent(hop: Int) {
        if hop == self.hop { self.isSent = true }
    }

    func received(_ head: HTTPResponseHead, hop: Int) -> EventLoopFuture<Void> {
        guard hop == self.hop, self.state == .waiting else { return self.goOn }
        let verdict = RedirectRule.verdict(
            on: head.status, location: head.headers.first(name: "Location"), method: self.request.method,
            at: self.request.address, followed: self.hop - 1, most: self.request.mostRedirects
        )
        switch verdict {
        case .refuse(let reason):
            // See Other (RFC 9110, 15.4.4): it has been done, and the outcome is elsewhere.
            let isDone = head.status == .seeOther && self.request.method != .GET && self.request.method != .HEAD
            self.fail(HTTPFailure(reason, mayHaveRun: isDone))
        case .follow(let address): self.follow(address)
        case .answer:
            if let encoding = Self.unknownEncoding(head) {
                self.fail(HTTPFailure(.unknownEncoding(encoding), mayHaveRun: true))
            } else {
                self.state = .body
                self.listen()
                self.arm()
                self.delegate?.received(head, of: self)
            }
        }
        return self.next
    }

    func received(_ bytes: ByteBuffer, hop: Int) -> EventLoopFuture<Void> {
        guard hop == self.hop, self.state == .body else { return self.goOn }
        self.listen()
        self.delegate?.received(bytes, of: self)
        return self.next
    }

    func ended(hop: Int) {
        guard hop == self.hop, self.state == .body else { return }
        let delegate = self.delegate
        _ = self.finish()
        delegate?.ended(self)
    }

    func failed(_ error: any Error, hop: Int) {
        guard hop == self.hop, self.state != .over else { return }
        let failure = HTTPFailure(error, sent: self.isSent)
        guard self.isStarting else { return self.fail(failure) }
        // Whoever starts a transfer has it in hand before it hears of it.
        self.loop.assumeIsolated().execute { self.fail(failure) }
    }
}

extension HTTPTransfer {
    private func follow(_ address: HTTPAddress) {
        let before = self.course
        self.request.address = address
        self.sendRequest()
        // Its body is not waited for.
        before?.cancel()
    }

    private func fail(_ failure: HTTPFailure) {
        guard self.state != .over else { return }
        let delegate = self.delegate
        self.finish()?.cancel()
        delegate?.failed(self, failure)
    }

    /// - Returns: what is left to be cancelled.
    private func finish() -> (any HTTPCourse)? {
        self.state = .over
        self.delegate = nil
        self.timer?.cancel()
        self.timer = nil
        defer { self.course = nil }
        self.release()
        return self.course
    }

    private var goOn: EventLoopFuture<Void> { self.loop.makeSucceededVoidFuture() }

    /// What the library waits for before it hands over more.
    private var next: EventLoopFuture<Void> {
        guard !self.isReading, self.state == .body else { return self.goOn }
        let promise = self.held ?? self.loop.makePromise()
        self.held = promise
        return promise.futureResult
    }

    private func release() {
        let held = self.held
        self.held = nil
        held?.succeed()
    }

    private func listen() {
        guard self.clock.countsSilence, self.isReading, self.state == .body else { return }
        self.clock.listen(now: .now())
    }

    /// Looks at the clock, and again when it says so.
    private func arm() {
        self.timer?.cancel()
        self.timer = nil
        guard self.state != .over else { return }
        switch self.clock.verdict(at: .now()) {
        case .wait(nil): return
        case .wait(.some(let time)):
            self.timer = self.loop.assumeIsolated().scheduleTask(deadline: time) { [weak self] in self?.arm() }
        case .late: self.fail(HTTPFailure(.late(self.request.limits.total ?? .zero), mayHaveRun: self.isSent))
        case .silent: self.fail(HTTPFailure(.silent(self.request.limits.idle ?? .zero), mayHaveRun: self.isSent))
        }
    }

    /// What the library unpacks, and what means nothing, is known.
    private static func unknownEncoding(_ head: HTTPResponseHead) -> String? {
        let names = head.headers[canonicalForm: "Content-Encoding"].map { $0.lowercased() }
        return names.first { !["", "identity", "none", "gzip", "x-gzip", "deflate"].contains($0) }
    }
}
