import BridgeConfiguration

/// What rights are asked for.
package enum ScopeRule {
    /// The words of a list of scopes, which some servers separate by commas.
    package static func words(_ text: String?) -> [String] {
        (text ?? "").split { $0 == " " || $0 == "," || $0 == "\t" || $0 == "\n" }.map(String.init)
    }

    /// The configuration's, else the challenge's, else those that the resource lists, else none: what the authorization server
    /// lists is not asked for, since it may be an administrator's alone.
    ///
    /// - Parameters:
    ///   - wanted: what a call has been refused for.
    ///   - refusesOffline: whether the server has refused `offline_access` although it lists it.
    /// - Returns: nil where nothing is to be sent; and whether `offline_access` was added by ourselves.
    static func asked(
        _ found: Discovered, settings: OAuthSettings, wanted: [String] = [], refusesOffline: Bool = false
    ) -> (scope: String?, addsOffline: Bool) {
        var scopes = settings.scopes ?? []
        if settings.scopes == nil {
            scopes = Self.words(found.challengedScope)
            if scopes.isEmpty { scopes = found.resourceScopes ?? [] }
        }
        for scope in wanted where !scopes.contains(scope) { scopes.append(scope) }
        let offline = "offline_access"
        // Where the configuration lists scopes, it lists this one, too, or says `offline`.
        let isWanted = settings.offline || (settings.scopes == nil && found.metadata.scopes.contains(offline))
        let addsOffline =
            isWanted && !refusesOffline && settings.grant != .clientCredentials && !scopes.contains(offline)
        if addsOffline { scopes.append(offline) }
        return (scopes.isEmpty ? nil : scopes.joined(separator: " "), addsOffline)
    }

    /// What to ask for after a call was refused for want of rights (2026-07-28): all that was asked for and granted, and what is
    /// missing.
    ///
    /// - Returns: nil where that is nothing more than what is granted: to sign in again would change nothing.
    package static func steppedUp(asked: String?, granted: String?, challenged: String?) -> [String]? {
        let granted = Self.words(granted ?? asked)
        var union = granted
        for scope in Self.words(asked) + Self.words(challenged) where !union.contains(scope) { union.append(scope) }
        return Set(union) == Set(granted) ? nil : union
    }
}
