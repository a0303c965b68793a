import BridgeAccess
import BridgeCore

extension SettingKind where Value == [ListenAddress] {
    static let addresses = SettingKind("`ip:port`, `[ip6]:port`, `port` or `unix:/path`, or several in an array") {
        node, _, report in
        var addresses: [ListenAddress] = []
        for element in node.kind == .array ? node.elements : [node] {
            let text = element.text.int.map(String.init) ?? element.text.string ?? ""
            guard let address = ListenAddress(text) else {
                report.error(
                    element, "is not an address to listen on.",
                    remedy: "Write \"127.0.0.1:8769\", \"[::1]:8769\" or \"unix:/run/mcp.sock\"; a name other than "
                        + "localhost would have to be looked up."
                )
                return nil
            }
            addresses.append(address)
        }
        if addresses.isEmpty { report.error(node, "must name at least one address.") }
        return addresses.isEmpty ? nil : addresses
    } show: { addresses in
        .strings(addresses.map(\.description))
    }
}

extension SettingKind where Value == [OriginPattern] {
    static let origins = SettingKind("[`scheme://host[:port]`], host `*.name` and port `*` allowed") {
        node, _, report in
        var patterns: [OriginPattern] = []
        for element in node.kind == .array ? node.elements : [node] {
            guard let text = element.string(&report) else { return nil }
            let pattern = OriginPattern(text.hasSuffix("/") ? String(text.dropLast()) : text)
            guard pattern.isValid else {
                report.error(
                    element, "is not an origin.",
                    remedy: "Write scheme, host and port only: \"https://app.example\", \"https://*.example.org\" or "
                        + "\"http://localhost:*\"."
                )
                return nil
            }
            patterns.append(pattern)
        }
        return patterns
    } show: { patterns in
        .strings(patterns.map(\.rawValue))
    }
}

extension SettingKind where Value == [String] {
    /// Lower-cased, without brackets.
    static let hosts = SettingKind("[host name]") { node, _, report in
        var hosts: [String] = []
        for element in node.kind == .array ? node.elements : [node] {
            guard let text = element.string(&report) else { return nil }
            let host = NetworkAddress.withoutBrackets(text.lowercased())
            guard NetworkAddress.isLiteral(host) || NetworkAddress.isHostName(host) else {
                report.error(element, "is not a host name.", remedy: "Write it without scheme, port and path.")
                return nil
            }
            hosts.append(host)
        }
        return hosts
    } show: { hosts in
        .strings(hosts)
    }

    static let blocks = SettingKind("[address or CIDR block]") { node, _, report in
        var blocks: [String] = []
        for element in node.kind == .array ? node.elements : [node] {
            guard let text = element.string(&report) else { return nil }
            guard NetworkAddress.isBlock(text) else {
                report.error(
                    element, "is not an address or a block of addresses.",
                    remedy: "Write \"192.0.2.7\" or \"10.0.0.0/8\"."
                )
                return nil
            }
            blocks.append(text)
        }
        return blocks
    } show: { blocks in
        .strings(blocks)
    }
}

extension SettingKind where Value == String {
    /// `http(s)://host[:port][/path]`, without a slash at the end.
    static let publicURL = SettingKind("URL") { node, _, report in
        guard var text = node.string(&report) else { return nil }
        while text.hasSuffix("/") { text.removeLast() }
        guard PublicURL.host(of: text) != nil else {
            report.error(
                node, "is not a public URL.", remedy: "Write \"https://mcp.example.org\", without query or user.")
            return nil
        }
        return text
    } show: {
        .string($0)
    }

    /// A path below which nothing of the bridge's own lies.
    static let mcpPath = SettingKind("path") { node, _, report in
        guard let text = node.string(&report) else { return nil }
        guard let path = MCPPath.normalized(text) else {
            report.error(node, MCPPath.complaint, remedy: "Write \"/mcp\", for example.")
            return nil
        }
        return path
    } show: {
        .string($0)
    }

    /// Between a server's name and a tool's.
    static let separator = SettingKind("1 to 8 of letters, digits, `_`, `-`, `.`, `/`, `:`") { node, _, report in
        guard let text = node.string(&report) else { return nil }
        let allowed = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || "_-./:".utf8.contains(byte)
        }
        guard allowed, (1...8).contains(text.utf8.count) else {
            report.error(
                node, "must be 1 to 8 of letters, digits, '_', '-', '.', '/' and ':'.",
                remedy: "To show a server's names without prefix, set its \"prefix\" to \"\"."
            )
            return nil
        }
        return text
    } show: {
        .string($0)
    }
}

extension SettingKind where Value == TokenRate {
    static let rate = SettingKind("`5/s`, `60/min`, `1000/h`, `20000/day`") { node, _, report in
        guard let text = node.string(&report) else { return nil }
        do {
            return try TokenRate(text)
        } catch {
            report.error(node, "is not a rate.", remedy: "Write \"5/s\", \"60/min\", \"1000/h\" or \"20000/day\".")
            return nil
        }
    } show: {
        .string($0.description)
    }
}

extension SettingKind where Value == ConfiguredLogLevel {
    static let level = SettingKind(ConfiguredLogLevel.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")) {
        node, _, report in
        if let level = node.text.string.flatMap(ConfiguredLogLevel.init(written:)) { return level }
        return node.word(ConfiguredLogLevel.self, &report)
    } show: {
        .string($0.rawValue)
    }
}

extension SettingKind where Value == PeerGrants {
    static let peers = SettingKind("{user name, user id or `*`: [`mcp`, `chat`, `admin`]}") { node, context, report in
        guard let object = ObjectReader(node, report: &report) else { return nil }
        var grants = PeerGrants()
        for member in object.members {
            var words: [PeerGrant] = []
            for element in member.value.kind == .array ? member.value.elements : [member.value] {
                guard let word = element.word(PeerGrant.self, &report) else { return nil }
                words.append(word)
            }
            if member.key == "*" {
                grants.others = words
            } else if let uid = UInt32(member.key) ?? context.userID(member.key) {
                grants.users[Int(uid)] = words
            } else {
                report.add(
                    .error, at: member.keyOffset, member.value.path,
                    "there is no user '\(member.key)' on this machine.",
                    remedy: "Write a user name, a user id, or '*' for everybody else."
                )
                return nil
            }
        }
        return grants
    } show: { grants in
        let users = grants.users.sorted { $0.key < $1.key }.map { (String($0.key), $0.value) } + [("*", grants.others)]
        return .object(users.map { ($0.0, .strings($0.1.map(\.rawValue))) })
    }
}
