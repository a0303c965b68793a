import BridgeCore
import BridgeMCP
package import NIOCore

/// `config print`: the configuration as it is understood, in the form it could be written, every default in place.
extension BridgeConfiguration {
    /// JSON without a secret: environment variables and headers, whatever came from `${…}`, the query and user of a
    /// URL, and arguments that follow a flag with a telling name are `***`.
    package var printed: ByteBuffer {
        let servers = self.servers.map { ($0.name, Self.value(of: $0)) }
        return ConfigurationValue.object([
            ("mcpServers", .object(servers)), ("bridge", Self.value(of: self.settings)),
        ]).rendered
    }

    /// Nests `log.level` under `log`; unset settings are left out.
    private static func value(of settings: BridgeSettings) -> ConfigurationValue {
        var members: [(String, ConfigurationValue)] = []
        for setting in SettingTable.all {
            let value = setting.value(settings)
            if case .null = value { continue }
            Self.add(setting.key[...], value, to: &members)
        }
        return .object(members)
    }

    /// Settings of a group stand one after the other in the table.
    private static func add(
        _ key: Substring, _ value: ConfigurationValue, to members: inout [(String, ConfigurationValue)]
    ) {
        guard let dot = key.firstIndex(of: ".") else { return members.append((String(key), value)) }
        let group = String(key[..<dot])
        var inner: [(String, ConfigurationValue)] = []
        if case .object(let earlier)? = members.last?.1, members.last?.0 == group {
            inner = earlier
            members.removeLast()
        }
        Self.add(key[dot...].dropFirst(), value, to: &inner)
        members.append((group, .object(inner)))
    }

    private static func value(of entry: UpstreamEntry) -> ConfigurationValue {
        var members = Self.members(of: entry.target)
        if !entry.isEnabled { members.append(("enabled", .bool(false))) }
        if let prefix = entry.prefix { members.append(("prefix", .string(prefix))) }
        for (key, filter) in [("tools", entry.tools), ("prompts", entry.prompts), ("resources", entry.resources)]
        where !filter.isEmpty {
            members.append((key, Self.value(of: filter)))
        }
        if let oauth = Self.value(of: entry.oauth) { members.append(("oauth", oauth)) }
        members.append(("timeouts", Self.value(of: entry.timeouts)))
        members.append(("start", .string(entry.start.rawValue)))
        if let idleStop = entry.idleStop { members.append(("idleStop", .double(idleStop.rawValue))) }
        members.append(("retry", .string(entry.retry.rawValue)))
        members.append(("share", .string(entry.share.rawValue)))
        if entry.share != .all { members.append(("lanes", .int(entry.lanes))) }
        if let asks = entry.asks { members.append(("asks", .bool(asks))) }
        if !entry.roots.isEmpty {
            members.append(
                (
                    "roots",
                    .array(
                        entry.roots.map { root in
                            .object([("uri", .string(root.uri))] + (root.name.map { [("name", .string($0))] } ?? []))
                        })
                ))
        }
        if !entry.limits.isEmpty { members.append(("limits", Self.value(of: entry.limits))) }
        return .object(members)
    }

    private static func members(of target: UpstreamTarget) -> [(String, ConfigurationValue)] {
        var members: [(String, ConfigurationValue)] = []
        switch target {
        case .stdio(let program):
            members.append(("type", .string("stdio")))
            members.append(("command", .string(program.command.masked)))
            members.append(("args", .strings(program.arguments.map(\.masked))))
            let removed = program.removedVariables.map { ($0, ConfigurationValue.null) }
            let variables = program.environment.map { ($0.key, ConfigurationValue.string(Secret.mask)) } + removed
            if !variables.isEmpty { members.append(("env", .object(variables.sorted { $0.0 < $1.0 }))) }
            if let directory = program.workingDirectory?.masked ?? program.standardDirectory {
                members.append(("cwd", .string(directory)))
            }
            if program.encodingErrors != .strict {
                members.append(("encoding_error_handler", .string(program.encodingErrors.rawValue)))
            }
        case .remote(let endpoint):
            if endpoint.dialect != .probe { members.append(("type", .string(endpoint.dialect.rawValue))) }
            members.append(("url", .string(endpoint.url.masked)))
            let headers = endpoint.headers.keys.sorted().map { ($0, ConfigurationValue.string(Secret.mask)) }
            if !headers.isEmpty { members.append(("headers", .object(headers))) }
            if let authorities = endpoint.authorities {
                members.append(("tls", .object([("ca", .string(authorities.masked))])))
            } else if endpoint.trustsAnybody {
                members.append(("tls", .object([("insecure", .bool(true))])))
            }
        }
        return members
    }

    private static func value(of filter: NameFilter) -> ConfigurationValue {
        var members: [(String, ConfigurationValue)] = []
        if let allow = filter.allow { members.append(("allow", .strings(allow))) }
        if !filter.deny.isEmpty { members.append(("deny", .strings(filter.deny))) }
        let names = filter.rename.sorted { $0.key < $1.key }.map { ($0.key, ConfigurationValue.string($0.value)) }
        if !names.isEmpty { members.append(("rename", .object(names))) }
        return .object(members)
    }

    private static func value(of timeouts: UpstreamTimeouts) -> ConfigurationValue {
        let tools = timeouts.tools.sorted { $0.key < $1.key }.map {
            ($0.key, ConfigurationValue.double($0.value.rawValue))
        }
        return .object(
            [
                ("connect", .double(timeouts.connect.rawValue)), ("list", .double(timeouts.list.rawValue)),
                ("call", .double(timeouts.call.rawValue)), ("ping", .double(timeouts.ping.rawValue)),
                ("question", .double(timeouts.question.rawValue)), ("turn", .double(timeouts.turn.rawValue)),
            ] + (tools.isEmpty ? [] : [("tools", .object(tools))])
        )
    }

    private static func value(of limits: ResourceLimits) -> ConfigurationValue {
        var members: [(String, ConfigurationValue)] = []
        if let memory = limits.memoryBytes { members.append(("memory", .int(memory))) }
        if let cpu = limits.cpuPercent { members.append(("cpu", .double(cpu))) }
        if let tasks = limits.tasks { members.append(("tasks", .int(tasks))) }
        return .object(members)
    }
}
