package import BridgeCore

/// How lists are shown: what somebody needs who has the entries of each server, and no configuration.
package struct CatalogueDisplay: Sendable, Hashable {
    package struct Server: Sendable, Hashable {
        package var name: String
        package var prefix: String
        package var tools: NameFilter
        package var prompts: NameFilter
        package var resources: NameFilter

        package init(
            name: String, prefix: String, tools: NameFilter = NameFilter(), prompts: NameFilter = NameFilter(),
            resources: NameFilter = NameFilter()
        ) {
            self.name = name
            self.prefix = prefix
            self.tools = tools
            self.prompts = prompts
            self.resources = resources
        }

        /// What of an offering is shown, and how.
        package func filter(of offering: Offering) -> NameFilter {
            switch offering {
            case .tools: self.tools
            case .prompts: self.prompts
            case .resources, .templates: self.resources
            default: NameFilter()
            }
        }
    }

    package var separator: String
    /// Whether safe names are shown to everybody, to nobody, or (`nil`) to the clients named.
    package var safeNames: Bool?
    package var safeNamesFor: [String]
    /// In the order of the configuration: of two that want the same name the first has it.
    package var servers: [Server]

    package init(separator: String, safeNames: Bool?, safeNamesFor: [String], servers: [Server]) {
        self.separator = separator
        self.safeNames = safeNames
        self.safeNamesFor = safeNamesFor
        self.servers = servers
    }

    /// Whether a client that introduced itself by this name is shown safe names.
    package func showsSafeNames(to client: String?) -> Bool {
        if let safeNames { return safeNames }
        guard let client = client?.lowercased() else { return false }
        // "NAME (via mcp-remote V)", as mcp-remote passes it on.
        let name = client.firstRange(of: " (via ").map { String(client[..<$0.lowerBound]) } ?? client
        return self.safeNamesFor.contains { [client, name].contains($0.lowercased()) }
    }
}

/// `{"separator", "safeNames"?, "safeNamesFor", "servers": [{"name", "prefix", "tools"?: {"allow"?, "deny", "rename"}, …}]}`.
extension CatalogueDisplay {
    package var text: JSONText {
        JSONWriter.object { display in
            display.member("separator", self.separator)
            if let safeNames { display.member("safeNames", safeNames) }
            display.member("safeNamesFor", self.safeNamesFor)
            display.memberArray("servers") { servers in
                for server in self.servers {
                    servers.object { object in
                        object.member("name", server.name)
                        object.member("prefix", server.prefix)
                        Self.write(server.tools, "tools", to: &object)
                        Self.write(server.prompts, "prompts", to: &object)
                        Self.write(server.resources, "resources", to: &object)
                    }
                }
            }
        }
    }

    private static func write(_ filter: NameFilter, _ key: String, to object: inout JSONWriter) {
        guard !filter.isEmpty else { return }
        object.memberObject(key) { written in
            if let allow = filter.allow { written.member("allow", allow) }
            written.member("deny", filter.deny)
            written.memberObject("rename") { rename in
                for (own, shown) in filter.rename.sorted(by: { $0.key < $1.key }) { rename.member(own, shown) }
            }
        }
    }

    package init?(_ text: JSONText) {
        guard let separator = text.string("separator"), let servers = text.value("servers"), servers.kind == .array
        else {
            return nil
        }
        self.init(
            separator: separator, safeNames: text.bool("safeNames"),
            safeNamesFor: Self.strings(text.value("safeNamesFor")), servers: [])
        servers.elements { span in
            let server = servers[span]
            guard let name = server.string("name"), let prefix = server.string("prefix") else { return }
            self.servers.append(
                Server(
                    name: name, prefix: prefix, tools: Self.filter(server.value("tools")),
                    prompts: Self.filter(server.value("prompts")), resources: Self.filter(server.value("resources"))))
        }
    }

    private static func filter(_ text: JSONText?) -> NameFilter {
        guard let text else { return NameFilter() }
        var rename: [String: String] = [:]
        if let renamed = text.value("rename") {
            renamed.members { own, shown in rename[own.string] = renamed[shown].string }
        }
        return NameFilter(
            allow: text.value("allow").map(Self.strings), deny: Self.strings(text.value("deny")), rename: rename)
    }

    private static func strings(_ text: JSONText?) -> [String] {
        var strings: [String] = []
        text?.elements { span in if let string = text?[span].string { strings.append(string) } }
        return strings
    }
}

extension CatalogueCache {
    /// What clients were last shown.
    ///
    /// A file that does not say how is of mcp-bridge for Node, which showed all servers' entries under their own names.
    package func catalogue() -> Catalogue {
        var catalogue = Catalogue(of: self.offerings)
        let servers = self.display?.servers ?? self.upstreams.map { CatalogueDisplay.Server(name: $0, prefix: "") }
        for offering in self.offerings {
            let sources = servers.map { server in
                Catalogue.Source(
                    name: server.name, prefix: server.prefix, filter: server.filter(of: offering),
                    entries: self.lastEntries(of: offering, by: server.name))
            }
            catalogue.replace(
                with: Catalogue.Section(of: offering, sources: sources, separator: self.display?.separator ?? "."))
        }
        return catalogue
    }
}
