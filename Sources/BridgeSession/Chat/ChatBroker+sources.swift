import BridgeAccess
import BridgeChat
import BridgeConfiguration
import BridgeCore
import BridgeMCP
import Logging
import NIOCore

// Who is a source: a session whose client can sample, whose principal may lend, and that the configuration names. Nobody
// else is ever asked.

extension ChatBroker {
    /// By which rule a session is a source; nil where it is none.
    private func rule(for session: LiveSession) -> ChatSourceRule? {
        guard session.caller.mayLend, session.caller.capabilities.contains(.sampling) else { return nil }
        let claims = session.identity.claims
        return self.settings.sources.first { $0.matches(client: claims.client, principal: claims.principal) }
            ?? (session.caller.lends ? .joined : nil)
    }

    /// Whether anything says that a client could be one.
    private func mayBeSource(_ caller: Caller) -> Bool { caller.lends || !self.settings.sources.isEmpty }

    /// Whether a client is one, and so sees `hook`.
    func isSource(_ caller: Caller) -> Bool {
        guard self.mayBeSource(caller), let number = caller.number else { return false }
        self.look(at: number)
        return self.sources[number] != nil
    }

    /// A session has come into memory, or left it, or is another than it was.
    func look(at number: UInt64) {
        let session = self.sessions.session(number)
        let rule = session.flatMap { self.rule(for: $0) }
        if let source = self.sources[number] {
            guard source.session !== session || source.rule != rule else { return }
            if source.session === session, let rule {
                source.rule = rule
                self.add(source)
                return self.goOn()
            }
            self.end(source)
        }
        guard let session, let rule else { return }
        let source = SamplingSource(session, rule, retention: self.sessions.retention, now: .now())
        source.onAnswer = { [weak self, weak source] purpose, response in
            guard let self, let source else { return }
            switch purpose {
            case .warmUp: self.warmedUp(source, response)
            case .request(let call): self.answered(call, source, with: response)
            }
        }
        source.onProgress = { if case .request(let call) = $0 { call.goesOn() } }
        session.onRoom = { [weak self, weak source] in
            guard let self, let source else { return }
            self.look(at: source, now: .now())
            self.goOn()
        }
        session.onUnsent = { [weak self, weak source] place in
            guard let self, let source else { return }
            source.takeBack(beyond: place)
            self.look(at: source, now: .now())
            self.goOn()
        }
        self.add(source)
        self.log("A client lends its model", source)
        self.goOn()
    }

    /// A session listens on a further stream: it can be asked there.
    func listens(_ number: UInt64) {
        self.look(at: number)
        guard let source = self.sources[number] else { return }
        source.askUnsent()
        self.look(at: source, now: .now())
        self.goOn()
    }

    /// It is none any more.
    private func end(_ source: SamplingSource) {
        source.withdraw(reason: "nothing is asked any more") { if case .warmUp = $0 { true } else { false } }
        self.remove(source)
        for hook in source.hooks {
            _ = source.remove(hook)
            hook.end("This client lends its model no longer (chat.sources).")
        }
        self.log("A client lends its model no longer", source)
        self.goOn()
    }

    /// A session is over.
    func ended(_ number: UInt64) {
        guard let source = self.sources[number] else { return }
        self.remove(source)
        for hook in source.hooks {
            _ = source.remove(hook)
            hook.stream.refuse(hook.id, .cancelled)
        }
        self.log("A client lends its model no longer", source, "its session has ended")
        self.goOn()
    }

    /// The configuration names others.
    func sourcesReconfigured() {
        for session in Array(self.sessions.all) {
            let wasSource = self.sources[session.number] != nil
            self.look(at: session.number)
            let isSource = self.sources[session.number] != nil
            if isSource != wasSource { session.tell(ListChange(method: "notifications/tools/list_changed")) }
        }
        for source in self.sources.values { self.add(source) }
    }

    /// A source's own words, as the log has them.
    static func logged(_ words: String) -> String {
        let scalars = TokenSecret.masked(in: words).unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control ? "?" : scalar
        }
        return ChatFault.shortened(String(String.UnicodeScalarView(scalars)), to: Self.maximumLogged)
    }

    /// In bytes.
    private static let maximumLogged = 256

    private func log(_ what: String, _ source: SamplingSource, _ more: String? = nil) {
        self.logger.info(
            "\(what)",
            metadata: [
                "mcp.session": "\(source.session.identity.digest)", "mcp.source": "\(source.rule.name)",
                "mcp.reason": more.map { "\($0)" } ?? "",
            ].filter { $0.value != "" })
    }
}

// MARK: The tool `hook`

extension ChatBroker {
    /// Takes a call of `hook`, if that is what a call is, and its client sees the tool.
    ///
    /// - Returns: false where it is somebody else's.
    func takes(_ request: PendingRequest) -> Bool {
        guard self.mayBeSource(request.caller),
            request.message.name.map({ request.message.text[$0].string == HookTool.name }) ?? false,
            self.isSource(request.caller), let source = request.caller.number.flatMap({ self.sources[$0] })
        else { return false }
        let arguments = request.message.param("arguments").map { request.message.text[$0] }
        if request.message.task != nil {
            request.refuse(.noTask(HookTool.name, "mcp-bridge"))
        } else if !HookTool.takes(arguments) {
            request.refuse(.invalidParams("Invalid hook arguments"))
        } else if source.hook(for: request.id) != nil || request.caller.calls[request.id] != nil {
            request.refuse(.duplicateID)
        } else if source.hooks.count >= SamplingSource.maximumHooks {
            request.refuse(.tooManyHooks)
        } else {
            source.add(HookCall(request))
            self.forgetRefusals()
            source.warmUp.wanted(now: request.now.sinceBoot)
            self.keepSources(now: request.now)
            self.goOn()
        }
        return true
    }

    /// A client has cancelled something, `hook` perhaps.
    func drop(_ id: RPCID, of caller: Caller) {
        guard let source = caller.number.flatMap({ self.sources[$0] }), let hook = source.hook(for: id) else { return }
        self.drop(hook, of: source)
        self.look(now: .now())
        self.goOn()
    }

    private func drop(_ hook: HookCall, of source: SamplingSource) {
        let purposes = source.remove(hook)
        hook.stream.drop()
        for case .warmUp in purposes {
            source.warmUp.failed(now: NIODeadline.now().sinceBoot, draw: .random(in: 0..<1))
        }
        self.lost(purposes)
    }
}

// MARK: Warming up

extension ChatBroker {
    /// Somebody wants a model: whoever could answer, and is not warm, is asked for it now.
    func wake(for entry: ModelBook.Entry, now: NIODeadline) {
        guard !self.sources.isEmpty else { return }
        for source in self.sources.values where entry.sources.isEmpty || entry.sources.contains(source.rule.name) {
            source.warmUp.wanted(now: now.sinceBoot)
        }
        self.keepSources(now: now)
    }

    /// What time brings about for sources.
    func keepSources(now: NIODeadline) {
        for source in Array(self.sources.values) {
            for hook in source.staleHooks(now: now) { self.drop(hook, of: source) }
            for hook in source.hooks { hook.keepAlive(now: now) }
            self.look(at: source.id)
            guard self.sources[source.id] === source else { continue }
            source.look(now: now)
            if source.isGone(now: now), source.isWarmingUp {
                source.withdraw(reason: "the client is away") { if case .warmUp = $0 { true } else { false } }
                source.warmUp.failed(now: now.sinceBoot, draw: .random(in: 0..<1))
            }
            if self.settings.warmsUp { self.warmUp(source, now: now) }
        }
        self.look(now: now)
    }

    private func warmUp(_ source: SamplingSource, now: NIODeadline) {
        if source.warmUp.isOverdue(now: now.sinceBoot) {
            source.withdraw(reason: "it has taken too long") { if case .warmUp = $0 { true } else { false } }
            source.warmUp.failed(now: now.sinceBoot, draw: .random(in: 0..<1))
        }
        guard let way = source.way(for: 512), source.warmUp.asks(now: now.sinceBoot) else { return }
        source.ask(Self.word, for: .warmUp, by: way)
    }

    /// One token for one word.
    private static let word = JSONText(
        literal: #"{"messages":[{"role":"user","content":{"type":"text","text":"warmup"}}],"maxTokens":1}"#)

    private func warmedUp(_ source: SamplingSource, _ response: RPCMessage) {
        if response.result != nil {
            source.warmUp.answered()
            self.log("A source is ready", source)
        } else {
            let fault = Self.fault(response)
            let isFinal =
                fault.kind == .samplingRefused || response.error.map { response.text[$0].int("code") } == -32601
            if isFinal {
                source.warmUp.refused()
            } else {
                source.warmUp.failed(now: NIODeadline.now().sinceBoot, draw: .random(in: 0..<1))
            }
            self.log("A source is not ready", source, Self.logged(fault.message))
        }
        self.look(now: .now())
        self.goOn()
    }
}
