import BridgeChat
import BridgeConfiguration
import BridgeCore

/// What names of models mean, by `chat.models`.
struct ModelBook {
    /// How a model is asked for.
    struct Entry {
        /// Who may be asked, by name; empty is every source.
        let sources: Set<String>
        let preferences: ModelPreferences
        let maximumTokens: Int
    }

    private let exact: [String: ChatModelRule]
    private let patterns: [ChatModelRule]
    private let hasRules: Bool
    private let priorities: ChatPriorities
    private let maximumTokens: Int
    /// The names that are listed.
    let names: [String]

    init(_ settings: ChatSettings) {
        self.priorities = settings.priorities
        self.maximumTokens = settings.maximumTokens
        self.patterns = settings.models.filter { !$0.isExact }
        let named = settings.models.filter(\.isExact)
        self.exact = Dictionary(named.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.hasRules = !settings.models.isEmpty
        var names = named.map(\.name).filter { $0 != "auto" }
        let unnamed = ChatRequest.unnamedModel
        let isUnnamedKnown = settings.models.isEmpty || Self.rule(of: "", self.exact, self.patterns) != nil
        if isUnnamedKnown, !names.contains(unnamed) { names.insert(unnamed, at: 0) }
        self.names = names
    }

    /// The entry of a model; nil where there is none of that name.
    ///
    /// - Parameter model: as the client wrote it.
    func entry(_ model: String) -> Entry? {
        guard self.hasRules else {
            return Entry(
                sources: [], preferences: ModelPreferences(model: model, priorities: ModelPriorities(self.priorities)),
                maximumTokens: self.maximumTokens)
        }
        guard let rule = Self.rule(of: model, self.exact, self.patterns) else { return nil }
        return Entry(
            sources: Set(rule.sources),
            preferences: ModelPreferences(
                model: rule.model ?? model, priorities: ModelPriorities(rule.priorities ?? self.priorities)),
            maximumTokens: min(rule.maximumTokens ?? .max, self.maximumTokens))
    }

    /// The rule with the name itself, or the first pattern that fits. A client that names no model may have been given one
    /// of the words for that.
    private static func rule(
        of model: String, _ exact: [String: ChatModelRule], _ patterns: [ChatModelRule]
    ) -> ChatModelRule? {
        let isOpen = ChatRequest(model: model).leavesModelOpen
        for name in isOpen ? [model, ChatRequest.unnamedModel, "auto"] : [model] {
            if let rule = exact[name] { return rule }
        }
        let name = isOpen ? ChatRequest.unnamedModel : model
        return patterns.first { Glob.matches(name, pattern: $0.name) }
    }
}

extension ModelPriorities {
    fileprivate init(_ priorities: ChatPriorities) {
        self.init(intelligence: priorities.intelligence, speed: priorities.speed, cost: priorities.cost)
    }
}
