import BridgeCore

extension SettingTable {
    static let chat: [Setting] = [
        Setting(
            "chat.sources", \.chat.sources, .chatSources,
            "the clients that lend their models (MCP sampling) to whoever asks the model APIs; nobody else is asked. "
                + "A client with a token needs the scope `source` besides"),
        Setting(
            "chat.models", \.chat.models, .chatModels,
            "what models are called, and whose they are; without any, each name goes to any source, as a hint"),
        Setting(
            "chat.warmup", \.chat.warmsUp, .flag,
            "whether a source is asked for one word before it counts as ready: its user's consent is asked for then"),
        Setting(
            "chat.timeout", \.chat.timeout, .timeOrNone,
            "for a request of a model API, from when it came to its answer"),
        Setting(
            "chat.maxTokens", \.chat.maximumTokens, .number(1...(.max)),
            "the most tokens of an answer; a request may ask for less"),
        Setting(
            "chat.priorities.intelligence", \.chat.priorities.intelligence, .share,
            "what sources are told of the choice of a model"),
        Setting("chat.priorities.speed", \.chat.priorities.speed, .share, "the same"),
        Setting("chat.priorities.cost", \.chat.priorities.cost, .share, "the same"),
        Setting(
            "chat.parallel", \.chat.parallel, .number(1...64), "requests that one source answers at once"),
        Setting("chat.queue", \.chat.queue, .number(0...100_000), "requests that wait for a source"),
        Setting(
            "chat.usageOnFinish", \.chat.streams.usageOnFinish, .flag,
            "whether `usage` of a streamed chat completion stands on the chunk that ends the answer, for clients that fail on "
                + "one without choices"),
        Setting(
            "chat.doneAfterMessages", \.chat.streams.doneAfterMessages, .flag,
            "whether streams of `/v1/messages` end with `data: [DONE]`, as MCPTokenBridge's did"),
    ]
}

extension SettingKind where Value == Bool {
    static let flag = SettingKind("`true`, `false`") { node, _, report in
        node.bool(&report)
    } show: {
        .bool($0)
    }
}

extension SettingKind where Value == Double {
    /// From 0 to 1.
    static let share = SettingKind("number from 0 to 1") { node, _, report in
        guard let value = node.text.double, (0...1).contains(value) else {
            report.error(node, "must be a number from 0 to 1.")
            return nil
        }
        return value
    } show: {
        .double($0)
    }
}

extension SettingKind where Value == Seconds? {
    static let timeOrNone = SettingKind("time above 0, or `none`") { node, _, report in
        if node.text.string == "none" { return .some(nil) }
        return node.seconds(&report).map { .some($0) }
    } show: { value in
        value.map { .double($0.rawValue) } ?? .string("none")
    }
}

extension SettingKind where Value == [ChatSourceRule] {
    static let chatSources = SettingKind("[`clientInfo.name` or {client, token, peer, name, parallel}]") {
        node, context, report in
        var rules: [ChatSourceRule] = []
        for element in node.kind == .array ? node.elements : [node] {
            guard let rule = ChatRuleReader(context: context).source(element, &report) else { return nil }
            guard !rules.contains(where: { $0.name == rule.name }) else {
                report.error(
                    element, "a source is called '\(rule.name)' already.",
                    remedy: "Give one of the two another \"name\".")
                return nil
            }
            rules.append(rule)
        }
        return rules
    } show: { rules in
        .array(rules.map(\.shown))
    }
}

extension SettingKind where Value == [ChatModelRule] {
    static let chatModels = SettingKind(
        "{name or pattern: source's name or {source, model, maxTokens, priorities}}"
    ) { node, context, report in
        guard let object = ObjectReader(node, report: &report) else { return nil }
        var rules: [ChatModelRule] = []
        for member in object.members {
            guard !member.key.isEmpty else {
                report.add(
                    .error, at: member.keyOffset, member.value.path, "a model has no empty name.",
                    remedy: "Write \"*\" for every name.")
                return nil
            }
            guard let rule = ChatRuleReader(context: context).model(member, &report) else { return nil }
            rules.append(rule)
        }
        return rules
    } show: { rules in
        .object(rules.map { ($0.name, $0.shown) })
    }
}

extension ChatSourceRule {
    fileprivate var shown: ConfigurationValue {
        var members: [(String, ConfigurationValue)] = [("name", .string(self.name))]
        if let client { members.append(("client", .string(client))) }
        if let token { members.append(("token", .string(token))) }
        if let peer { members.append(("peer", .int(peer))) }
        if let parallel { members.append(("parallel", .int(parallel))) }
        return .object(members)
    }
}

extension ChatModelRule {
    fileprivate var shown: ConfigurationValue {
        var members: [(String, ConfigurationValue)] = []
        if !self.sources.isEmpty { members.append(("source", .strings(self.sources))) }
        if let model { members.append(("model", .string(model))) }
        if let maximumTokens { members.append(("maxTokens", .int(maximumTokens))) }
        if let priorities {
            members.append(
                (
                    "priorities",
                    .object([
                        ("intelligence", .double(priorities.intelligence)), ("speed", .double(priorities.speed)),
                        ("cost", .double(priorities.cost)),
                    ])
                ))
        }
        return .object(members)
    }
}
