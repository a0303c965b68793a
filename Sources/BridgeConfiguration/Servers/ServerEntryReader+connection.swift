import BridgeCore

/// How the connections to a remote server are made.
extension ServerEntryReader {
    mutating func readTLS(_ node: ConfigurationNode, into endpoint: inout UpstreamTarget.Endpoint) {
        guard var object = ObjectReader(node, report: &self.report) else { return }
        let authorities = object.take("ca")
        let insecure = object.take("insecure")
        object.finish(known: ["ca", "insecure"], lenient: self.isLenient, report: &self.report)
        if let authorities, let text = authorities.nonEmptyString(&self.report),
            let expanded = self.expanded(text, at: authorities)
        {
            let path = self.path(expanded)
            endpoint.authorities = path
            if self.isEnabled, !path.value.contains(Secret.mask), self.context.fileContent(path.value) == nil {
                self.report.warning(
                    authorities, "the file cannot be read.", remedy: "The server cannot be reached until it can.")
            }
        }
        guard let insecure, insecure.bool(&self.report) == true else { return }
        guard PublicHost.isLoopback(endpoint.url.value) else {
            return self.report.error(
                insecure, "is possible only for a server on this machine: anybody between could read and change all.",
                remedy: "Name the authority that has signed its certificate: 'tls': {'ca': …}.")
        }
        if authorities != nil {
            return self.report.error(insecure, "contradicts 'ca'.", remedy: "Remove one of the two.")
        }
        endpoint.trustsAnybody = true
    }

    /// By the variables of the entry, then of the service.
    mutating func findProxy(
        for endpoint: inout UpstreamTarget.Endpoint, _ environment: ConfigurationNode?, at url: ConfigurationNode
    ) {
        var own: [String: String?] = [:]
        for member in environment?.members ?? [] where ProxyRule.variables.contains(member.key.lowercased()) {
            guard !member.value.text.isNull else {
                own[member.key] = .some(nil)
                continue
            }
            if let value = self.expanded(member.value) { own[member.key] = value.value }
        }
        switch ProxyRule(entry: own, service: self.context.variables).verdict(on: endpoint.url.value) {
        case .direct: break
        case .proxy(let proxy): endpoint.proxy = proxy
        case .unknown(let variable):
            self.problem(url, ProxyRule.complaint(about: variable), remedy: ProxyRule.remedy)
        }
    }
}

/// The host of a URL.
enum PublicHost {
    static func isLoopback(_ url: String) -> Bool {
        guard let scheme = url.firstRange(of: "://") else { return false }
        let authority = url[scheme.upperBound...].prefix { !"/?#".contains($0) }
        var host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        if let colon = host.lastIndex(of: ":"), !host[colon...].contains("]") { host = host[..<colon] }
        return NetworkAddress.isLoopback(String(host))
    }
}
