import BridgeCore
import BridgeMCP

/// Values that several keys share, and the small objects.
extension ServerEntryReader {
    /// Reports that something a server needs is not there: an error, unless the server is switched off.
    mutating func problem(_ node: ConfigurationNode, _ message: String, remedy: String?) {
        self.report.add(
            self.isEnabled ? .error : .warning, at: node.offset, node.path, message, remedy: remedy,
            reach: self.report.server.map { .needs($0) }
        )
    }

    /// Reports that a value cannot be used: a mistake, or where it comes from somewhere else, something that is amiss there.
    mutating func refuse(_ node: ConfigurationNode, _ text: ConfiguredText, _ message: String, remedy: String?) {
        if text.isMasked {
            self.problem(node, message, remedy: remedy)
        } else {
            self.report.error(node, message, remedy: remedy)
        }
    }

    /// Reports what is missing in a value that is not used yet.
    mutating func lookThrough(_ node: ConfigurationNode) {
        if let text = node.text.string { _ = self.expanded(text, at: node) }
        for member in node.members { self.lookThrough(member.value) }
        for element in node.elements { self.lookThrough(element) }
    }

    /// `nil` after having reported why.
    mutating func expanded(_ node: ConfigurationNode) -> ConfiguredText? {
        guard let text = node.string(&self.report) else { return nil }
        return self.expanded(text, at: node)
    }

    mutating func expanded(_ text: String, at node: ConfigurationNode) -> ConfiguredText? {
        let (expanded, problems) = self.context.expander.expand(text)
        for problem in problems { self.problem(node, problem.message, remedy: problem.remedy) }
        if expanded.value.utf8.contains(0) {
            self.refuse(
                node, expanded, "contains a NUL character, which no process can take.",
                remedy: "Take it out of the text, or out of what is put in its place."
            )
            return nil
        }
        return problems.isEmpty ? expanded : nil
    }

    struct Pair {
        let name: String
        let value: ConfiguredText?
        let node: ConfigurationNode
    }

    /// An object of strings; numbers and booleans are taken as they are spelled, `null` is `nil`.
    mutating func pairs(_ node: ConfigurationNode?) -> [Pair] {
        guard let node, let object = ObjectReader(node, report: &self.report) else { return [] }
        var pairs: [Pair] = []
        for member in object.members {
            switch member.value.kind {
            case .null: pairs.append(Pair(name: member.key, value: nil, node: member.value))
            case .number, .true, .false:
                let text = ConfiguredText(member.value.text.description)
                pairs.append(Pair(name: member.key, value: text, node: member.value))
            case .string, .object, .array:
                guard let value = self.expanded(member.value) else { continue }
                pairs.append(Pair(name: member.key, value: value, node: member.value))
            }
        }
        return pairs
    }

    /// `{allow, deny, rename}`, or an array that is `allow`.
    mutating func filter(_ node: ConfigurationNode) -> NameFilter {
        if node.kind == .array { return NameFilter(allow: node.strings(&self.report)) }
        guard var object = ObjectReader(node, report: &self.report) else { return NameFilter() }
        var filter = NameFilter()
        filter.allow = object.take("allow")?.strings(&self.report)
        filter.deny = object.take("deny")?.strings(&self.report) ?? []
        if let rename = object.take("rename"), let names = ObjectReader(rename, report: &self.report) {
            var seen: [String: String] = [:]
            for member in names.members {
                guard let name = member.value.nonEmptyString(&self.report) else { continue }
                if let other = seen.updateValue(member.key, forKey: name) {
                    self.report.error(
                        member.value, "'\(other)' is renamed to this already.", remedy: "Choose another name.")
                }
                filter.rename[member.key] = name
            }
        }
        object.finish(known: ["allow", "deny", "rename"], lenient: self.isLenient, report: &self.report)
        return filter
    }

    /// The client files' `timeout`: some programs write seconds into it and some milliseconds.
    mutating func clientTimeout(_ node: ConfigurationNode) -> Seconds? {
        guard let timeout = node.seconds(&self.report) else { return nil }
        guard node.kind == .number, timeout.rawValue > 3_600 else { return timeout }
        let seconds = Seconds(timeout.rawValue / 1_000)
        self.report.warning(
            node, "is taken for milliseconds: a call may take \(seconds.rawValue) s.",
            remedy: "Write 'timeouts': {'call': …} to be exact."
        )
        return seconds
    }

    mutating func readTimeouts(_ node: ConfigurationNode, into timeouts: inout UpstreamTimeouts) {
        guard var object = ObjectReader(node, report: &self.report) else { return }
        for (key, path) in [
            ("connect", \UpstreamTimeouts.connect), ("list", \UpstreamTimeouts.list), ("call", \UpstreamTimeouts.call),
            ("ping", \UpstreamTimeouts.ping), ("question", \UpstreamTimeouts.question),
            ("turn", \UpstreamTimeouts.turn),
        ] {
            guard let value = object.take(key)?.seconds(&self.report) else { continue }
            timeouts[keyPath: path] = value
            if key == "connect" { timeouts.isConnectFixed = true }
        }
        if let node = object.take("tools"), let tools = ObjectReader(node, report: &self.report) {
            for member in tools.members { timeouts.tools[member.key] = member.value.seconds(&self.report) }
        }
        object.finish(
            known: ["connect", "list", "call", "ping", "question", "turn", "tools"], lenient: self.isLenient,
            report: &self.report
        )
    }

    mutating func limits(_ node: ConfigurationNode) -> ResourceLimits {
        guard var object = ObjectReader(node, report: &self.report) else { return ResourceLimits() }
        var limits = ResourceLimits()
        limits.memoryBytes = object.take("memory")?.byteCount(atLeast: 1 << 20, &self.report)
        if let node = object.take("cpu") {
            limits.cpuPercent = node.text.double ?? node.text.string.flatMap(Quantity.percent)
            if limits.cpuPercent.map({ $0 <= 0 || $0 > 1_000_000 }) ?? true {
                self.report.error(node, "must be a percentage of one core.", remedy: "Write 150 or \"150%\".")
            }
        }
        limits.tasks = object.take("tasks")?.int(in: 1...4_194_304, &self.report)
        object.finish(known: ["memory", "cpu", "tasks"], lenient: self.isLenient, report: &self.report)
        return limits
    }

    /// Paths, `file:` URIs, or objects with `uri` and `name`.
    mutating func roots(_ node: ConfigurationNode) -> [Root] {
        guard node.kind == .array else {
            self.report.error(node, "must be an array, not \(node.kindWords).")
            return []
        }
        return node.elements.compactMap { element in
            guard element.kind == .object else { return self.rootURI(element).map { Root(uri: $0) } }
            guard var object = ObjectReader(element, report: &self.report) else { return nil }
            let uri = object.take("uri")
            let name = object.take("name")?.string(&self.report)
            object.finish(known: ["uri", "name"], lenient: self.isLenient, report: &self.report)
            guard let uri else {
                self.report.error(element, "must have a 'uri'.")
                return nil
            }
            return self.rootURI(uri).map { Root(uri: $0, name: name) }
        }
    }

    private mutating func rootURI(_ node: ConfigurationNode) -> String? {
        guard let text = self.expanded(node)?.value else { return nil }
        if text.lowercased().hasPrefix("file://") { return text }
        let paths = RelativePath(directories: [], start: self.directory ?? "", self.context)
        let path = self.directory == nil ? text : paths.path(text)
        guard path.hasPrefix("/"), !text.contains("://") else {
            self.report.error(node, "must be an absolute path or a 'file:' URI.")
            return nil
        }
        return "file://" + PercentCoding.encode(path, keeping: PercentCoding.isPath)
    }
}
