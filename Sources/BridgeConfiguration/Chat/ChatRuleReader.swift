import BridgeAccess
import BridgeCore

/// Reads one rule of `chat.sources` or `chat.models`.
struct ChatRuleReader {
    let context: LoadingContext

    func source(_ node: ConfigurationNode, _ report: inout ConfigurationReport) -> ChatSourceRule? {
        if node.kind == .string {
            return node.nonEmptyString(&report).map { ChatSourceRule(name: $0, client: $0) }
        }
        guard var object = ObjectReader(node, report: &report) else { return nil }
        var rule = ChatSourceRule(name: "")
        if let client = object.take("client") {
            guard let text = client.nonEmptyString(&report) else { return nil }
            guard text.utf8.count <= 64 else {
                report.error(client, "is longer than the 64 bytes that are compared.")
                return nil
            }
            rule.client = text
        }
        if let token = object.take("token") {
            guard let text = token.string(&report) else { return nil }
            guard let id = TokenID(text) else {
                report.error(
                    token, "is no token's id.", remedy: "'mcp-bridge token list' shows them; never write the secret.")
                return nil
            }
            rule.token = id.text
        }
        if let peer = object.take("peer") {
            guard let uid = self.user(peer, &report) else { return nil }
            rule.peer = uid
        }
        if let parallel = object.take("parallel") {
            guard let count = parallel.int(in: 1...64, &report) else { return nil }
            rule.parallel = count
        }
        guard rule.client != nil || rule.token != nil || rule.peer != nil else {
            report.error(
                node, "does not say which client it is about.",
                remedy: "Write its \"client\" (clientInfo.name), its \"token\" or its \"peer\".")
            return nil
        }
        let name = object.take("name")
        guard let text = name.map({ $0.nonEmptyString(&report) }) ?? rule.standardName else { return nil }
        rule.name = text
        object.finish(known: ["client", "token", "peer", "name", "parallel"], lenient: false, report: &report)
        return rule
    }

    private func user(_ node: ConfigurationNode, _ report: inout ConfigurationReport) -> Int? {
        if let uid = node.text.int.flatMap({ UInt32(exactly: $0) }) { return Int(uid) }
        guard let name = node.string(&report) else { return nil }
        if let uid = UInt32(name) ?? self.context.userID(name) { return Int(uid) }
        report.error(
            node, "there is no user '\(name)' on this machine.", remedy: "Write a user's name or id.")
        return nil
    }

    func model(_ member: ConfigurationNode.Member, _ report: inout ConfigurationReport) -> ChatModelRule? {
        var rule = ChatModelRule(name: member.key)
        if member.value.kind == .string || member.value.kind == .array {
            guard let sources = member.value.strings(&report) else { return nil }
            rule.sources = sources
            return rule
        }
        guard var object = ObjectReader(member.value, report: &report) else { return nil }
        if let sources = object.take("source") {
            guard let names = sources.strings(&report) else { return nil }
            rule.sources = names
        }
        if let model = object.take("model") {
            guard let name = model.nonEmptyString(&report) else { return nil }
            rule.model = name
        }
        if let tokens = object.take("maxTokens") {
            guard let limit = tokens.int(in: 1...(.max), &report) else { return nil }
            rule.maximumTokens = limit
        }
        if let node = object.take("priorities") {
            guard let priorities = self.priorities(node, &report) else { return nil }
            rule.priorities = priorities
        }
        object.finish(known: ["source", "model", "maxTokens", "priorities"], lenient: false, report: &report)
        return rule
    }

    private func priorities(_ node: ConfigurationNode, _ report: inout ConfigurationReport) -> ChatPriorities? {
        guard var object = ObjectReader(node, report: &report) else { return nil }
        var priorities = ChatPriorities()
        for (key, path) in Self.priorities {
            guard let value = object.take(key) else { continue }
            guard let share = SettingKind<Double>.share.read(value, self.context, &report) else { return nil }
            priorities[keyPath: path] = share
        }
        object.finish(known: Self.priorities.map(\.0), lenient: false, report: &report)
        return priorities
    }

    private static var priorities: [(String, WritableKeyPath<ChatPriorities, Double>)] {
        [("intelligence", \.intelligence), ("speed", \.speed), ("cost", \.cost)]
    }
}

extension ChatSourceRule {
    /// What it is called that has no name.
    fileprivate var standardName: String? {
        self.client ?? self.token.map { "token:\($0)" } ?? self.peer.map { "uid:\($0)" }
    }
}
