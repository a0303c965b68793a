import BridgeCore

/// Which model a sampling client should choose. Advice: the choice is the client's.
package struct ModelPreferences: Sendable, Hashable {
    /// Parts of model names, best first. None is empty.
    package var hints: [String]
    package var priorities: ModelPriorities

    package init(hints: [String] = [], priorities: ModelPriorities = ModelPriorities()) {
        self.hints = hints.filter { !$0.isEmpty }
        self.priorities = priorities
    }

    /// Preferences for a model by the name that a client gave: the name itself, and what is left of it without the
    /// provider before it and the date behind it.
    package init(model: String, priorities: ModelPriorities = ModelPriorities()) {
        let isOpen = ChatRequest(model: model).leavesModelOpen
        let family = Self.family(of: model)
        self.init(hints: isOpen ? [] : family == model ? [model] : [model, family], priorities: priorities)
    }

    /// `anthropic/claude-sonnet-4-5-20250929` is of the family `claude-sonnet-4-5`. Never empty, unless the name is.
    static func family(of model: String) -> String {
        var name = model[...]
        if let slash = name.lastIndex(of: "/"), name.index(after: slash) < name.endIndex {
            name = name[name.index(after: slash)...]
        }
        if let mark = name.lastIndex(where: { $0 == "@" || $0 == ":" }), mark > name.startIndex { name = name[..<mark] }
        for width in [[8], [4, 2, 2]] {
            if let short = Self.withoutDate(name, width) { return String(short) }
        }
        return String(name)
    }

    /// The name without a dash and digits in so many groups at its end.
    private static func withoutDate(_ name: Substring, _ widths: [Int]) -> Substring? {
        var rest = name
        for width in widths.reversed() {
            let digits = rest.suffix(width)
            guard digits.count == width, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            rest = rest.dropLast(width)
            guard rest.last == "-" else { return nil }
            rest = rest.dropLast()
        }
        return rest.isEmpty ? nil : rest
    }

    func write(to params: inout JSONWriter) {
        params.memberObject("modelPreferences") { preferences in
            if !self.hints.isEmpty {
                preferences.memberArray("hints") { hints in
                    for hint in self.hints { hints.object { $0.member("name", hint) } }
                }
            }
            preferences.member("costPriority", self.priorities.cost)
            preferences.member("speedPriority", self.priorities.speed)
            preferences.member("intelligencePriority", self.priorities.intelligence)
        }
    }
}

/// How important what is, from 0 to 1.
package struct ModelPriorities: Sendable, Hashable {
    package let intelligence: Double
    package let speed: Double
    package let cost: Double

    /// What is not from 0 to 1 is brought there.
    package init(intelligence: Double = 0.5, speed: Double = 0.5, cost: Double = 0.5) {
        self.intelligence = Self.clamped(intelligence)
        self.speed = Self.clamped(speed)
        self.cost = Self.clamped(cost)
    }

    private static func clamped(_ value: Double) -> Double { value.isNaN ? 0.5 : min(max(value, 0), 1) }
}

/// What the service says of all samplings: priorities, and a limit on tokens.
package struct SamplingSettings: Sendable, Hashable {
    package var priorities = ModelPriorities()
    /// A request may ask for less, never for more. Positive.
    package var maximumTokens = Self.standardMaximumTokens

    package static let standardMaximumTokens = 327_680

    package init() {}

    /// Read from `MCPTB_PREF_INTELLIGENCE`, `MCPTB_PREF_SPEED`, `MCPTB_PREF_COST` and `MCPTB_MAX_TOKENS`. A value that
    /// cannot be read is as good as none.
    package init(variable: (String) -> String?) {
        func priority(_ name: String) -> Double { variable(name).flatMap(Self.number) ?? 0.5 }
        self.priorities = ModelPriorities(
            intelligence: priority("MCPTB_PREF_INTELLIGENCE"), speed: priority("MCPTB_PREF_SPEED"),
            cost: priority("MCPTB_PREF_COST"))
        if let text = variable("MCPTB_MAX_TOKENS"), let limit = Int(Self.trimmed(text)) {
            self.maximumTokens = max(1, limit)
        }
    }

    private static func number(_ text: String) -> Double? { Double(Self.trimmed(text)) }

    private static func trimmed(_ text: String) -> Substring {
        var text = text[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }

    /// `maxTokens` of a request.
    package func maximumTokens(for request: ChatRequest) -> Int {
        min(max(1, request.maximumTokens ?? .max), self.maximumTokens)
    }
}
