import BridgeCore

/// How the server is reached.
extension ServerEntryReader {
    private enum Transport: String, CaseIterable {
        case stdio, http
        case streamableHTTP = "streamable-http"
        case sse

        init?(written text: String) {
            switch text.lowercased().filter({ $0 != "-" && $0 != "_" }) {
            case "stdio": self = .stdio
            case "http", "streamablehttp": self = .streamableHTTP
            case "sse": self = .sse
            default: return nil
            }
        }
    }

    mutating func target(_ object: inout ObjectReader, at node: ConfigurationNode) -> UpstreamTarget? {
        let typeNodes = [object.take("type"), object.take("transport")].compactMap(\.self)
        var transports: [Transport] = []
        for typeNode in typeNodes {
            guard let transport = self.transport(typeNode) else { return nil }
            transports.append(transport)
        }
        if transports.count == 2, transports[0] != transports[1] {
            self.report.error(typeNodes[1], "contradicts 'type'.", remedy: "Remove one of the two.")
            return nil
        }
        // All keys of both kinds are taken, so that none of them is told to be unknown.
        let command = object.take("command")
        let program = self.takeProgramKeys(&object)
        let url = object.take("url")
        let headers = object.take("headers")
        switch transports.first ?? (command != nil ? .stdio : url != nil ? nil : .some(.http)) {
        case .stdio:
            guard let command else {
                self.report.error(node, "stdio transport requires 'command'.", remedy: self.misplacedKey(object))
                return nil
            }
            for unused in [url, headers].compactMap(\.self) {
                self.report.warning(unused, "is ignored: this server is started as a program.")
            }
            return self.program(command, program).map(UpstreamTarget.stdio)
        case let transport?:
            guard transports.first != nil || url != nil else {
                self.report.error(
                    node, "Server config must define either 'command' or 'url'.", remedy: self.misplacedKey(object)
                )
                return nil
            }
            guard let url else {
                self.report.error(
                    node, "\(transport.rawValue) transport requires 'url'.", remedy: self.misplacedKey(object))
                return nil
            }
            return self.endpoint(url, headers, transport == .sse ? .sse : .streamableHTTP).map(UpstreamTarget.remote)
        case nil:
            return url.flatMap { self.endpoint($0, headers, .probe) }.map(UpstreamTarget.remote)
        }
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

    /// Other programs have other names for `url` and `command`.
    private func misplacedKey(_ object: ObjectReader) -> String? {
        let found = object.rest.map(\.key)
        if let key = ["serverUrl", "httpUrl", "uri", "endpoint"].first(where: found.contains) {
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
        guard let text = self.expanded(url) else { return nil }
        let lowered = text.value.lowercased()
        guard lowered.hasPrefix("http://") || lowered.hasPrefix("https://") else {
            self.report.error(url, "must begin with 'https://' or 'http://'.")
            return nil
        }
        self.report.warning(
            url, "servers with a 'url' are accepted, but not served by this version.",
            remedy: "Until then, a local program such as 'mcp-remote' can reach it."
        )
        let shown = ConfiguredText(text.value, masked: SecretMask.url(text.masked))
        var endpoint = UpstreamTarget.Endpoint(url: shown)
        endpoint.dialect = dialect
        for pair in self.pairs(headers) {
            guard let value = pair.value else { continue }
            if !Self.isHeader(name: pair.name, value: value.value) {
                self.report.error(pair.node, "is not a header.", remedy: "A name is a word, a value one line.")
            }
            endpoint.headers[pair.name] = value.hidden
        }
        return endpoint
    }
    private static func isHeader(name: String, value: String) -> Bool {
        let isToken = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"()<>@,;:\\\"/[]?={}".utf8.contains($0) }
        return !name.isEmpty && isToken && !value.utf8.contains { $0 == 0x0A || $0 == 0x0D }
    }
}
