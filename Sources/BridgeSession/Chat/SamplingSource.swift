import BridgeChat
import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore

/// One connected client that lends its model, and what it is being asked. Confined to the event loop.
final class SamplingSource {
    /// What it is asked for.
    enum Purpose {
        case warmUp
        case request(ChatCall)
    }

    /// On which of its streams.
    enum Way {
        case hook(HookCall)
        case listening(ListeningStream)
    }

    private struct Question {
        let id: String
        let purpose: Purpose
        /// nil where it went out on a stream that belongs to no request.
        let hook: HookCall?
        /// Of one that went out on such a stream: where it stands there (``ListeningStream/ask(_:)``).
        var places: [ListeningPlace] = []
        /// It, while it may have to go out once more.
        var kept: KeptQuestion?
        /// It has not left on the stream where it was put: nobody has read it. It waits for another stream.
        var isUnsent = false
    }

    let session: LiveSession
    /// Why it is one.
    var rule: ChatSourceRule
    var warmUp: WarmUp
    /// Its open calls of `hook`, the newest last.
    private(set) var hooks: [HookCall] = []
    private var questions: [Int: Question] = [:]
    private var lastNumber = 0
    private let retention: Retention
    /// Since when it cannot be reached.
    private(set) var awaySince: NIODeadline?
    /// Told of an answer: what for, and what it is.
    var onAnswer: ((Purpose, RPCMessage) -> Void)?
    var onProgress: ((Purpose) -> Void)?

    init(_ session: LiveSession, _ rule: ChatSourceRule, retention: Retention, now: NIODeadline) {
        self.session = session
        self.rule = rule
        self.retention = retention
        self.warmUp = WarmUp(now: now.sinceBoot)
    }

    var id: ChatQueue.SourceID { self.session.number }
    var caller: Caller { self.session.caller }

    /// Whether there is a stream on which it hears questions, sooner or later.
    var isReachable: Bool { !self.session.listening.isEmpty || self.hooks.contains { $0.stream.isHeard } }

    /// Whether no question would leave now, though it can be reached: it has enough to read, or to answer.
    var isFull: Bool { self.isReachable && self.way(for: 0) == nil }

    /// The stream for a question of so many bytes: inside a call of `hook` where there is one (from 2026-07-28 on, servers
    /// ask nowhere else), else the newest that it reads.
    func way(for octets: Int) -> Way? {
        if self.caller.questions.isFull { return nil }
        if let hook = self.hooks.last(where: { $0.stream.isHeard && $0.stream.canAsk(octets) }) { return .hook(hook) }
        return self.session.listening.last { $0.isRead }.map { .listening($0) }
    }

    /// The stream for a question with these params.
    ///
    /// - Throws: what keeps this one from being asked, and no smaller one.
    func way(for params: JSONText) throws(ChatFault) -> Way {
        let octets = params.count + Self.envelope
        guard octets <= Frame.maximumPayload else {
            throw ChatFault(.tooLarge, "The request is larger than the 64 MiB that pass between processes")
        }
        guard let way = self.way(for: octets) else {
            throw ChatFault(
                .overloaded,
                "What the source has been asked already leaves no room for a request of this size; nobody was asked")
        }
        return way
    }

    /// What is put around params, in bytes.
    private static let envelope = 192

    /// Asks it.
    ///
    /// - Parameter params: of a `sampling/createMessage`, fitted to it.
    func ask(_ params: JSONText, for purpose: Purpose, by way: Way) {
        self.lastNumber += 1
        let number = self.lastNumber
        let id = self.caller.questions.open(self, number)
        let message = Self.message(params, id: id)
        switch way {
        case .hook(let hook):
            self.questions[number] = Question(id: id, purpose: purpose, hook: hook)
            hook.stream.ask(message, as: id)
        case .listening(let stream):
            self.questions[number] = Question(id: id, purpose: purpose, hook: nil)
            let places = stream.ask(message)
            self.questions[number]?.places = places
            if !places.isEmpty { self.questions[number]?.kept = KeptQuestion(message, in: self.retention) }
        }
    }

    /// Its client listens again, and says how far it has read the stream that it has lost: what it has not seen it is asked
    /// once more. Of what was asked on other streams nobody knows whether it has been seen.
    func resume(after seen: ListeningPlace, on stream: ListeningStream) {
        for (number, question) in self.questions.sorted(by: { $0.key < $1.key }) {
            guard let kept = question.kept, question.places.contains(where: { $0.isBeyond(seen) }) else { continue }
            self.put(number, kept, on: stream)
        }
    }

    /// What was asked on a stream beyond this place has not left, and its client is gone: it is asked on another stream, now
    /// or when there is one. What could not be kept counts as asked.
    func takeBack(beyond place: ListeningPlace) {
        for (number, question) in self.questions where question.kept != nil {
            if question.places.first?.isBeyond(place) == true { self.questions[number]?.isUnsent = true }
        }
        self.askUnsent()
    }

    /// There may be a stream for what has not left.
    func askUnsent() {
        guard let stream = self.session.listening.last else { return }
        for (number, question) in self.questions.sorted(by: { $0.key < $1.key }) where question.isUnsent {
            if let kept = question.kept { self.put(number, kept, on: stream) }
        }
    }

    private func put(_ number: Int, _ kept: KeptQuestion, on stream: ListeningStream) {
        self.questions[number]?.isUnsent = false
        self.questions[number]?.places = stream.ask(kept.message)
    }

    /// Whether its client has certainly not read what this request asks.
    func hasUnsent(_ call: ChatCall) -> Bool {
        self.questions.values.contains { question in
            if case .request(let asked) = question.purpose { asked === call && question.isUnsent } else { false }
        }
    }

    /// The question, with a token for whoever wants to tell of progress.
    private static func message(_ params: JSONText, id: String) -> ByteBuffer {
        var message = ByteBuffer()
        message.reserveCapacity(params.count + Self.envelope)
        message.writeStaticString(#"{"jsonrpc":"2.0","id":"#)
        message.writeJSONString(id)
        message.writeStaticString(#","method":"sampling/createMessage","params":{"_meta":{"progressToken":"#)
        message.writeJSONString(id)
        message.writeStaticString("},")
        // Params are an object with something in it.
        var rest = params.bytes
        rest.moveReaderIndex(forwardBy: 1)
        message.writeImmutableBuffer(rest)
        message.writeStaticString("}")
        return message
    }

    /// Takes a question back.
    ///
    /// - Parameter isMeant: which one.
    func withdraw(reason: String, where isMeant: (Purpose) -> Bool) {
        for (number, question) in self.questions.sorted(by: { $0.key < $1.key }) where isMeant(question.purpose) {
            self.questions[number] = nil
            _ = self.caller.questions.close(question.id)
            if let hook = question.hook {
                hook.stream.withdraw(question: question.id, reason: reason)
            } else {
                self.session.tell(Cancellation.message(of: question.id, reason: reason))
            }
        }
    }

    /// Whether it is being asked for its consent.
    var isWarmingUp: Bool {
        self.questions.values.contains { if case .warmUp = $0.purpose { true } else { false } }
    }

    /// A client that no stream reaches for so long is gone: what it had been asked fails.
    private static let absence = TimeAmount.seconds(5)

    func isGone(now: NIODeadline) -> Bool { self.awaySince.map { now - $0 > Self.absence } ?? false }

    /// Looks whether it can be reached.
    func look(now: NIODeadline) {
        if self.isReachable { self.awaySince = nil } else if self.awaySince == nil { self.awaySince = now }
    }
}

extension SamplingSource: QuestionAsker {
    func answered(_ number: Int, with response: RPCMessage) {
        guard let question = self.questions.removeValue(forKey: number) else { return }
        question.hook?.stream.forget(question: question.id)
        self.onAnswer?(question.purpose, response)
    }

    func goesOn(_ number: Int) {
        if let question = self.questions[number] { self.onProgress?(question.purpose) }
    }
}

// Calls of `hook`.
extension SamplingSource {
    /// More of one session are refused.
    static let maximumHooks = 8
    /// A call whose client is gone may be fetched again for so long.
    private static let patience = TimeAmount.seconds(60)

    func hook(for id: RPCID) -> HookCall? { self.hooks.first { $0.id == id } }

    func add(_ hook: HookCall) {
        self.hooks.append(hook)
        hook.stream.beginEndless()
    }

    /// A call is over.
    ///
    /// - Returns: what had been asked inside it: it is not to be answered any more.
    func remove(_ hook: HookCall) -> [Purpose] {
        self.hooks.removeAll { $0 === hook }
        var purposes: [Purpose] = []
        for (number, question) in self.questions.sorted(by: { $0.key < $1.key }) where question.hook === hook {
            self.questions[number] = nil
            _ = self.caller.questions.close(question.id)
            hook.stream.forget(question: question.id)
            purposes.append(question.purpose)
        }
        return purposes
    }

    /// The calls whose clients will not come back.
    func staleHooks(now: NIODeadline) -> [HookCall] {
        self.hooks.filter { hook in
            guard let since = hook.stream.awaySince else { return false }
            if case .cancel = self.caller.onDisconnect { return true }
            return now - since > Self.patience
        }
    }
}

// What it takes.
extension SamplingSource {
    var abilities: SamplingAbilities {
        let revision = self.caller.revision
        let takesLists = revision >= .v2025_11_25
        // It shows sound to its models as an image, and images in results not at all. Of numbers it passes none on.
        let isVSCode = self.session.identity.claims.client?.hasPrefix("Visual Studio Code") ?? false
        return SamplingAbilities(
            takesTools: takesLists && self.caller.capabilities.contains(.samplingTools), takesLists: takesLists,
            takesAudio: revision >= .v2025_03_26 && !isVSCode, takesImagesInResults: !isVSCode,
            overlooksNumbers: isVSCode)
    }

    func queued(_ settings: ChatSettings) -> ChatQueue.Source {
        ChatQueue.Source(
            name: self.rule.name, abilities: self.abilities.met.intersection(ChatQueue.Request.hardNeeds),
            limit: self.rule.parallel ?? settings.parallel, isReady: self.isReady(settings), isFull: self.isFull)
    }

    func isReady(_ settings: ChatSettings) -> Bool {
        self.isReachable && (self.warmUp.isReady || !settings.warmsUp)
    }
}

extension ChatQueue.Request {
    /// Without which a source is not asked. Everything else can be told in another way.
    static let hardNeeds: ChatNeeds = [.tools, .audio]
}

extension NIODeadline {
    var sinceBoot: Duration { .nanoseconds(Int64(clamping: self.uptimeNanoseconds)) }
}
