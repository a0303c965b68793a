import BridgeCore

/// `oauth`: an object, or false for a server whose tokens are nobody's business here.
extension ServerEntryReader {
    mutating func readOAuth(_ node: ConfigurationNode, of target: UpstreamTarget, into entry: inout UpstreamEntry) {
        if let isOn = node.text.bool {
            entry.oauth.isOn = isOn
            entry.oauth.isWritten = true
            return
        }
        guard node.kind == .object else {
            return self.report.error(node, "must be an object, or false, not \(node.kindWords).")
        }
        guard case .remote = target else {
            self.lookThrough(node)
            return self.report.warning(node, "is ignored: this server is started as a program.")
        }
        guard var object = ObjectReader(node, report: &self.report) else { return }
        var oauth = OAuthEntry()
        oauth.isWritten = true
        // Gemini CLI's way to switch it off.
        if let isOn = object.take("enabled")?.bool(&self.report) { oauth.isOn = isOn }
        self.readClient(&object, into: &oauth)
        self.readRequests(&object, into: &oauth)
        if let node = object.take("redirectHost"), let host = node.word(OAuthEntry.RedirectHost.self, &self.report) {
            oauth.redirectHost = host
        }
        oauth.redirectPort = object.take("callbackPort")?.int(in: 1...65_535, &self.report)
        for member in object.rest { self.lookThrough(member.value) }
        object.finish(
            known: OAuthKeyTable.known, foreign: OAuthKeyTable.foreign, lenient: self.isLenient, report: &self.report)
        if oauth.grant == .clientCredentials, oauth.clientID == nil {
            self.report.error(
                node, "the grant 'client_credentials' needs a 'clientId'.",
                remedy: "Write the client's id and its secret, or take 'grant' out.")
        }
        if oauth.clientSecret != nil, oauth.clientID == nil {
            self.report.error(
                node, "has a 'clientSecret' without a 'clientId'.", remedy: "Write the client's id as well.")
        }
        entry.oauth = oauth
    }

    private mutating func readClient(_ object: inout ObjectReader, into oauth: inout OAuthEntry) {
        oauth.clientID = object.take("clientId").flatMap { self.expanded($0) }
        oauth.clientSecret = object.take("clientSecret").flatMap { self.secret($0) }
        oauth.issuer = object.take("issuer").flatMap { self.address($0) }
        oauth.clientName = object.take("clientName")?.nonEmptyString(&self.report)
        oauth.clientMetadataURL = object.take("clientMetadataUrl").flatMap { self.address($0) }
        if let node = object.take("grant"), let grant = node.word(OAuthSettings.Grant.self, &self.report) {
            oauth.grant = grant
        }
        if let node = object.take("tokenEndpointAuthMethod") {
            oauth.tokenEndpointMethod = node.word(OAuthSettings.ClientMethod.self, &self.report)
        }
    }

    private mutating func readRequests(_ object: inout ObjectReader, into oauth: inout OAuthEntry) {
        if let node = object.take("scopes"), let texts = node.strings(&self.report) {
            oauth.scopes = texts.flatMap { $0.split(separator: " ").map(String.init) }
        }
        if let offline = object.take("offline")?.bool(&self.report) { oauth.offline = offline }
        if let node = object.take("pkce"), let pkce = node.word(OAuthSettings.PKCE.self, &self.report) {
            oauth.pkce = pkce
        }
        if let node = object.take("resource") {
            if let isSent = node.text.bool {
                oauth.resource = isSent ? .standard : .none
            } else if let uri = node.nonEmptyString(&self.report) {
                oauth.resource = .uri(uri)
            }
        }
        for pair in self.pairs(object.take("extraParams")) {
            if let value = pair.value { oauth.extraParameters[pair.name] = value }
        }
    }

    /// A text of which nothing is shown. One that is a reference as a whole needs no braces.
    private mutating func secret(_ node: ConfigurationNode) -> ConfiguredText? {
        guard let text = node.string(&self.report) else { return nil }
        return self.expanded(text.hasPrefix("op://") ? "${\(text)}" : text, at: node)?.hidden
    }

    /// The address of an authorization server or of a document: kept as it is written.
    private mutating func address(_ node: ConfigurationNode) -> String? {
        guard let text = node.string(&self.report) else { return nil }
        let lowered = text.lowercased()
        guard ["http://", "https://"].contains(where: lowered.hasPrefix) else {
            self.report.error(node, "must begin with 'https://'.")
            return nil
        }
        return text
    }
}
