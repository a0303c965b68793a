import BridgeAccess
import BridgeChat
import BridgeCore
import BridgeLink
import NIOCore

// MARK: Which models there are

extension ChatCall {
    /// Connection tests of many programs ask for nothing else: it is answered at once, before a source has come, and where the
    /// session worker does not say what it knows.
    func listModels() {
        if self.token?.isSandboxed == true { return self.tellModels(self.sandboxModels, isReady: true) }
        self.exchange = self.state.session.open(header: ChatOpening.models.text, delegate: self)
        self.workerTimer = self.state.loop.assumeIsolated().scheduleTask(in: Self.modelsPatience) {
            guard !self.machine.isOver else { return }
            self.state.clock.refresh()
            self.cancel("no answer in time")
            self.modelsArrived(nil, nil)
        }
    }

    /// Clients give up after 3 seconds.
    private static let modelsPatience = TimeAmount.seconds(2)

    func modelsArrived(_ header: JSONText?, _ payload: ByteBuffer?) {
        guard !self.machine.isOver else { return }
        var names: [String] = []
        if let payload, let list = try? JSONText(validating: payload), list.kind == .array {
            list.elements { if let name = list[$0].string { names.append(name) } }
        }
        self.tellModels(names, isReady: header.flatMap { ChatModels($0) }?.isReady ?? false)
    }

    private var sandboxModels: [String] {
        self.token?.models.patterns.filter { !$0.contains { "*?".contains($0) } } ?? []
    }

    private func tellModels(_ named: [String], isReady: Bool) {
        let list = Self.list(
            named, for: self.dialect, created: self.state.chat.began,
            isAllowed: { self.token?.models.match($0) ?? true })
        let headers = ReplyHeaders.models(count: list.entries.count, isReady: isReady)
        guard case .model(let id) = self.target else { return self.answer(list.body, headers: headers) }
        do throws(ChatFault) {
            self.answer(try list.entry(id).body, headers: headers)
        } catch {
            self.tell(error)
        }
    }

    /// The model that every client may leave the choice to comes first.
    ///
    /// - Parameter named: further ones.
    static func list(
        _ named: [String], for dialect: ChatDialect, created: Int, isAllowed: (String) -> Bool
    ) -> ModelList {
        var names = [ChatRequest.unnamedModel]
        names += named.filter { $0 != ChatRequest.unnamedModel }
        names = names.filter(isAllowed)
        if dialect == .messages, names.first == ChatRequest.unnamedModel { names.append(ModelNames.alias) }
        return ModelList(names.map { ModelList.Entry(id: $0, created: created) })
    }
}
