import BridgeChat
import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import Logging
import NIOCore

/// Has requests for models answered by the clients that lend theirs. ``ChatQueue`` decides who is asked what; this asks, and
/// hears the answers. Confined to the event loop.
final class ChatBroker {
    let sessions: SessionStore
    let logger: Logger
    var settings: ChatSettings
    private var models: ModelBook
    private var refusals = RefusalBook()
    private var queue: ChatQueue
    private var calls: [ChatQueue.RequestID: ChatCall] = [:]
    private var lastID = 0
    /// By session.
    private(set) var sources: [ChatQueue.SourceID: SamplingSource] = [:]

    init(_ sessions: SessionStore, configuration: SessionConfiguration, logger: Logger) {
        self.sessions = sessions
        self.logger = logger
        self.settings = configuration.chat
        self.models = ModelBook(configuration.chat)
        self.queue = ChatQueue(limit: configuration.chat.queue)
    }

    func reconfigure(_ configuration: SessionConfiguration) {
        guard configuration.chat != self.settings else { return }
        self.settings = configuration.chat
        self.models = ModelBook(configuration.chat)
        self.queue.limit = configuration.chat.queue
        self.sourcesReconfigured()
        self.goOn()
    }

    var countWaiting: Int { self.queue.countWaiting }
    func busy(_ source: SamplingSource) -> Int { self.queue.sources[source.id]?.busy ?? 0 }
    private var isReady: Bool { self.queue.sources.values.contains(where: \.isReady) }

    // MARK: Requests

    func serve(_ opening: ChatOpening, _ exchange: Exchange) {
        switch opening {
        case .models:
            self.look(now: .now())
            self.goOn()
            let names = self.models.names
            let list = JSONWriter.array { list in for name in names { list.element(name) } }
            exchange.end(header: ChatModels(isReady: self.isReady).text, payload: list.bytes)
        case .ask(let ask): self.submit(ask, exchange, now: .now())
        }
    }

    private func submit(_ ask: ChatAsk, _ exchange: Exchange, now: NIODeadline) {
        let (payload, hold) = exchange.takePayload()
        let fail = { (fault: ChatFault) in exchange.end(header: ChatEnd.failed(fault.failure).text) }
        guard let payload, JSONText(trusting: payload).kind == .object else {
            return fail(ChatFault(.internal, "The request came without what is asked"))
        }
        if let refusal = self.refusals.refusal(principal: ask.principal, model: ask.model, now: now) {
            return fail(refusal)
        }
        guard let entry = self.models.entry(ask.model) else {
            return fail(
                ChatFault(.modelNotFound, "There is no model '\(ask.model.prefix(64))' (chat.models)", param: "model"))
        }
        // The client's time began earlier: it has waited for its turn in the front, or for an answer that was none.
        let left = ask.timeout.map { TimeAmount.milliseconds(Int64(min(max(0, $0), Seconds.longest.milliseconds))) }
        let limit = self.settings.timeout?.timeAmount
        let deadline = [limit, left].compactMap(\.self).min().map { now + $0 }
        self.lastID += 1
        let call = ChatCall(
            self.lastID, ask, entry, JSONText(trusting: payload), hold, limit: limit ?? left, on: exchange
        ) { [weak self] in self?.abandoned($0) }
        self.calls[call.id] = call
        self.wake(for: entry, now: now)
        self.queue.submit(
            ChatQueue.Request(
                id: call.id, principal: ask.principal, sources: entry.sources,
                needs: ask.needs.intersection(ChatQueue.Request.hardNeeds), deadline: deadline))
        self.goOn()
    }

    /// Its client does not want the answer any more.
    private func abandoned(_ call: ChatCall) {
        guard self.calls.removeValue(forKey: call.id) != nil else { return }
        self.withdraw(call, reason: "the client does not wait for it any more")
        self.queue.finish(call.id)
        self.goOn()
    }

    private func withdraw(_ call: ChatCall, reason: String) {
        call.source?.withdraw(reason: reason) { if case .request(let asked) = $0 { asked === call } else { false } }
    }

    // MARK: Steps

    /// Does what the queue has decided.
    func goOn() {
        while case let steps = self.queue.takeSteps(), !steps.isEmpty {
            for step in steps {
                switch step {
                case .ask(let id, let source): self.ask(id, source)
                case .fail(let id, let refusal): self.fail(id, refusal)
                }
            }
        }
    }

    private func ask(_ id: ChatQueue.RequestID, _ sourceID: ChatQueue.SourceID) {
        guard let call = self.calls[id], let neutral = call.params else { return self.queue.finish(id) }
        guard let source = self.sources[sourceID], source.isReachable else {
            return self.queue.giveBack(id, isFull: false)
        }
        if source.isFull { return self.queue.giveBack(id, isFull: true) }
        let limit = min(max(1, call.ask.maximumTokens ?? .max), call.entry.maximumTokens)
        do {
            let params = try SamplingParams.fitted(
                neutral, needs: call.ask.needs, to: source.abilities, preferences: call.entry.preferences,
                maximumTokens: limit)
            let way = try source.way(for: params.text)
            call.remarks = params.remarks
            call.remarks.add(source.abilities.overlooked(in: neutral, limitsLength: call.ask.maximumTokens != nil))
            call.isAsked(source)
            source.ask(params.text, for: .request(call), by: way)
        } catch {
            self.calls[id] = nil
            self.queue.finish(id)
            call.fail(error)
        }
    }

    private func fail(_ id: ChatQueue.RequestID, _ refusal: ChatQueue.Refusal) {
        guard let call = self.calls.removeValue(forKey: id) else { return }
        let isUnasked = call.source?.hasUnsent(call) ?? false
        let fault = self.fault(isUnasked ? refusal.ofUnasked : refusal, call)
        self.withdraw(call, reason: fault.kind.word)
        call.fail(fault)
    }

    private func fault(_ refusal: ChatQueue.Refusal, _ call: ChatCall) -> ChatFault {
        let limit = call.limit.map { Seconds(Double($0.nanoseconds) / 1e9).words } ?? ""
        switch refusal {
        case .noSource: return .noHook
        case .notReady: return .notReady
        case .noTools: return .sourceWithoutTools
        case .noAudio: return .sourceWithoutSound
        case .full:
            return ChatFault(
                .overloaded, "Too many requests wait for a source: \(self.queue.limit), as chat.queue says")
        case .waited:
            return ChatFault(.overloaded, "No source was free within \(limit) (chat.timeout); nobody was asked")
        case .unanswered: return .timeout(after: limit, setting: "chat.timeout")
        case .lost:
            return ChatFault(
                .sourceLost, "The source went away before it answered; whether it did anything is not known",
                sourceWasAsked: true)
        }
    }

    // MARK: Answers

    /// A source has answered a request.
    func answered(_ call: ChatCall, _ source: SamplingSource, with response: RPCMessage) {
        guard self.calls.removeValue(forKey: call.id) != nil else { return }
        if let result = response.result {
            source.warmUp.answered()
            call.answer(response.text[result].bytes, call.remarks)
        } else {
            let fault = Self.fault(response)
            if fault.kind == .samplingRefused {
                var told = fault
                told.sourceWasAsked = false
                self.refusals.note(told, principal: call.ask.principal, model: call.ask.model, now: .now())
            }
            call.fail(fault)
        }
        self.queue.finish(call.id)
        self.look(at: source, now: .now())
        self.goOn()
    }

    /// What an error of a source says.
    static func fault(_ response: RPCMessage) -> ChatFault {
        let error = response.error.map { response.text[$0] }
        return SamplingError.fault(
            code: error?.int("code") ?? 0, message: error?.string("message") ?? "it does not say why")
    }

    /// What had been asked inside a call of `hook` that is over.
    func lost(_ purposes: [SamplingSource.Purpose]) {
        for case .request(let call) in purposes where self.calls[call.id] != nil {
            self.fail(call.id, .lost)
            self.queue.finish(call.id)
        }
    }

    /// A user has come forward: what was refused may be asked again.
    func forgetRefusals() { self.refusals.forget() }

    // MARK: Sources, as the queue knows them

    func add(_ source: SamplingSource) {
        self.sources[source.id] = source
        self.queue.set(source.queued(self.settings), as: source.id)
    }

    func remove(_ source: SamplingSource) {
        guard self.sources.removeValue(forKey: source.id) != nil else { return }
        self.queue.remove(source.id)
    }

    /// Looks who can be asked. Who is away for long is nobody's source until it is back.
    func look(now: NIODeadline) {
        for source in self.sources.values { self.look(at: source, now: now) }
    }

    func look(at source: SamplingSource, now: NIODeadline) {
        guard self.sources[source.id] === source else { return }
        source.look(now: now)
        if source.isGone(now: now) {
            self.queue.remove(source.id)
        } else if self.queue.sources[source.id] == nil {
            self.queue.set(source.queued(self.settings), as: source.id)
        } else {
            self.queue.set(source.id, isReady: source.isReady(self.settings), isFull: source.isFull)
        }
    }

    /// Everything that time brings about, every second.
    func keepHouse(now: NIODeadline) {
        self.queue.expire(now: now)
        if !self.sources.isEmpty { self.keepSources(now: now) }
        self.goOn()
    }
}
