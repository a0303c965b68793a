import BridgeCore

/// How the server is reached.
extension ServerEntryReader {
    private enum Transport: String, CaseIterable {
        case stdio, http
        case streamableHTTP = "streamable-http"
        case sse
        /// Somewhere else, in whichever dialect.
        case remote

        init?(written text: String) {
            switch text.lowercased().filter({ $0 != "-" && $0 != "_" }) {
            case "stdio", "local": self = .stdio
            case "http", "streamablehttp": self = .streamableHTTP
            case "sse": self = .sse
            case "remote": self = .remote
            default: return nil
            }
        }

        var dialect: RemoteTarget.Dialect {
            switch self {
            case .sse: .sse
            case .remote, .stdio: .probe
            case .http, .streamableHTTP: .streamableHTTP
            }
        }
    }

    mutating func target(_ object: inout ObjectReader, at node: ConfigurationNode) -> UpstreamTarget? {
        guard case .told(let told) = self.transport(&object) else { return nil }
        // All keys of both kinds are taken, so that none of them is told to be unknown.
        let command = object.take("command")
        let program = self.takeProgramKeys(&object)
        let addresses = ServerKeyTable.addresses.compactMap { key in object.take(key).map { (key: key, node: $0) } }
        let headers = object.take("headers")
        let tls = object.take("tls")
        let url = addresses.first
        // What Gemini CLI calls 'httpUrl' is one dialect; the other names tell none.
        let inferred: Transport? =
            command != nil ? .stdio : url.map { $0.key == "httpUrl" ? .streamableHTTP : .remote }
        guard let transport = told ?? inferred else {
            self.reportNothingToReach(object, at: node)
            return nil
        }
        if transport == .stdio {
            guard let command else {
                self.report.error(node, "stdio transport requires 'command'.", remedy: self.misplacedKey(object))
                return nil
            }
            for unused in addresses.map(\.node) + [headers, tls].compactMap(\.self) {
                self.report.warning(unused, "is ignored: this server is started as a program.")
            }
            return self.program(command, program).map(UpstreamTarget.stdio)
        }
        guard let url else {
            self.report.error(
                node, "\(transport.rawValue) transport requires 'url'.", remedy: self.misplacedKey(object))
            return nil
        }
        for other in addresses.dropFirst() where other.node.text.string != url.node.text.string {
            self.report.error(other.node, "contradicts '\(url.key)'.", remedy: "Remove one of the two.")
        }
        guard var endpoint = self.endpoint(url.node, headers, transport.dialect) else { return nil }
        if let tls { self.readTLS(tls, into: &endpoint) }
        self.findProxy(for: &endpoint, program.environment, at: url.node)
        return .remote(endpoint)
    }

    private enum ToldTransport {
        case told(Transport?)
        case mistaken
    }

    /// What the entry says itself.
    private mutating func transport(_ object: inout ObjectReader) -> ToldTransport {
        var told: (key: String, transport: Transport)?
        for key in ["type", "transport", "transportType"] {
            guard let node = object.take(key) else { continue }
            guard let transport = self.transport(node) else { return .mistaken }
            guard let (earlier, other) = told, other != transport else {
                told = told ?? (key, transport)
                continue
            }
            if [other, transport].contains(.remote), ![other, transport].contains(.stdio) {
                told = (key, other == .remote ? transport : other)
            } else {
                self.report.error(node, "contradicts '\(earlier)'.", remedy: "Remove one of the two.")
                return .mistaken
            }
        }
        return .told(told?.transport)
    }

    /// A string, or an object with `type`.
    private mutating func transport(_ node: ConfigurationNode) -> Transport? {
        var word = node
        if node.kind == .object {
            guard let type = node.members.first(where: { $0.key == "type" }) else {
                self.report.error(node, "must have a 'type'.", remedy: "Write \"stdio\", \"http\" or \"sse\".")
                return nil
            }
            word = type.value
        }
        guard let text = word.string(&self.report) else { return nil }
        if let transport = Transport(written: text) { return transport }
        let nearest = EditDistance.nearest(to: text, among: Transport.allCases.map(\.rawValue)) ?? ""
        self.report.error(
            word, "must be one of 'stdio', 'http', 'streamable-http', 'sse'.", remedy: "The nearest is '\(nearest)'."
        )
        return nil
    }

    private mutating func reportNothingToReach(_ object: ObjectReader, at node: ConfigurationNode) {
        let source = object.members.first { $0.key == "source" }?.value.text.string
        if source == "extension" || object.members.contains(where: { $0.key == "settings" }) {
            return self.problem(
                node, "an extension of the editor starts this server, and a service has no editor.",
                remedy: "Write its 'command' and 'args', or take it out of this file."
            )
        }
        self.report.error(
            node, "Server config must define either 'command' or 'url'.", remedy: self.misplacedKey(object)
        )
    }

    /// What may have been meant to be `command` or `url`.
    private func misplacedKey(_ object: ObjectReader) -> String? {
        let found = object.rest.map(\.key)
        if let key = ["uri", "endpoint", "baseUrl"].first(where: found.contains) {
            return "Write 'url' in place of '\(key)'."
        }
        let wanted = found.first { EditDistance.between($0, "command") <= 2 || EditDistance.between($0, "url") == 1 }
        return wanted.map {
            "Is '\($0)' meant to be '\(EditDistance.between($0, "command") <= 2 ? "command" : "url")'?"
        }
    }

    private mutating func endpoint(
        _ url: ConfigurationNode, _ headers: ConfigurationNode?, _ dialect: RemoteTarget.Dialect
    ) -> UpstreamTarget.Endpoint? {
        // Both are read in any case: each mistake is told at once.
        let pairs = self.pairs(headers)
        guard let text = self.expanded(url) else { return nil }
        let lowered = text.value.lowercased()
        // What stands for a credential that only the service can read may begin in any way.
        guard ["http://", "https://", Secret.mask].contains(where: lowered.hasPrefix) else {
            self.refuse(url, text, "must begin with 'https://' or 'http://'.", remedy: nil)
            return nil
        }
        let shown = ConfiguredText(text.value, masked: SecretMask.url(text.masked))
        var endpoint = UpstreamTarget.Endpoint(url: shown)
        endpoint.dialect = dialect
        for pair in pairs {
            guard let value = pair.value else { continue }
            if !Self.isHeader(name: pair.name) {
                // Not by its name: it may be a whole 'Name: value'.
                self.report.add(
                    .error, at: pair.node.offset, headers?.path ?? url.path,
                    "a key is not the name of a header.", remedy: "A name is one word.")
            } else if value.value.utf8.contains(where: { $0 == 0x0A || $0 == 0x0D }) {
                self.refuse(
                    pair.node, value, "a header's value has no line break.", remedy: "Write the value as one line.")
            }
            endpoint.headers[pair.name] = value.hidden
        }
        return endpoint
    }

    private static func isHeader(name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"()<>@,;:\\\"/[]?={}".utf8.contains($0) }
    }
}
