import BridgeConfiguration
import BridgeCore

/// What is to be changed in the state file. It is read anew under its lock, changed, and written: whatever else another
/// process has done to it meanwhile stays.
package enum RecordChange: Sendable, Equatable {
    /// A sign-in begins: who is asked, as which client, and what has to be known when its redirect comes.
    case beginning(Discovered, ClientRegistration, SignInAttempt?, isNew: Bool)
    /// A code has come, and is good for one time.
    case redeeming(attempt: String)
    /// Somebody has signed in.
    case signedIn(TokenSet, ClientAuthentication, attempt: String?, sendsNoResource: Bool)
    /// A sign-in came to nothing.
    ///
    /// - Parameter isDoubtful: whether the client may be unknown by now.
    case over(attempt: String?, isDoubtful: Bool)
    /// `offline_access` is not asked for again.
    case offlineRefused
    /// Of the tokens of this generation.
    case verdict(OAuthRecord.Verdict?, generation: Int)
    /// The same, where the client is not known any more: no browser is sent anywhere as that one again.
    case clientRefused(OAuthRecord.Verdict, generation: Int)
    /// A call was refused for want of rights.
    case wanted([String], operation: String, at: Double)
    case rediscovered(Discovered)
    case loggedOut

    package func apply(to record: inout OAuthRecord, now: Double) {
        switch self {
        case .beginning(let found, let client, let attempt, let isNew):
            record.discovered = found
            var client = client
            // What the configuration has stays there.
            if client.kind == .configured { client.secret = nil }
            if let attempt { record.add(attempt, now: now) }
            record.keep(client)
            record.registrationTimes.removeAll { $0 < now - 86_400 || $0 > now }
            if isNew { record.registrationTimes.append(now) }
        case .redeeming(let attempt):
            for at in record.attempts.indices where record.attempts[at].state == attempt {
                record.attempts[at].isUsed = true
            }
        case .signedIn(let tokens, let authentication, let attempt, let sendsNoResource):
            record.generation += 1
            record.tokens = tokens
            record.signedInAt = tokens.issuer
            record.authentication = authentication
            record.sendsNoResource = sendsNoResource
            record.sendsNoScope = false
            record.verdict = nil
            record.wantedScopes = []
            record.attempts.removeAll { $0.state == attempt }
            for at in record.registrations.indices where record.registrations[at].id == tokens.clientID {
                record.registrations[at].isDoubtful = false
            }
            // The one before has had its time.
            if let client = record.client { record.keep(client) }
        case .over(let attempt, let isDoubtful):
            let over = record.attempts.first { $0.state == attempt }
            let issuer = over?.issuer ?? record.discovered?.metadata.issuer
            record.attempts.removeAll { $0.state == attempt }
            for at in record.registrations.indices
            where isDoubtful && record.registrations[at].kind == .registered
                && record.registrations[at].issuer == issuer
                && record.registrations[at].id == over?.clientID ?? record.registrations[at].id
            { record.registrations[at].isDoubtful = true }
        case .verdict(let verdict, let generation):
            if record.generation == generation { record.verdict = verdict }
        case .clientRefused(let verdict, let generation):
            guard record.generation == generation, let tokens = record.tokens else { return }
            record.verdict = verdict
            for at in record.registrations.indices
            where record.registrations[at].kind == .registered && record.registrations[at].issuer == tokens.issuer
                && record.registrations[at].id == tokens.clientID
            { record.registrations[at].isDoubtful = true }
        case .wanted(let scopes, let operation, let at):
            record.wantedScopes = scopes
            record.stepUps.removeAll { $0.at < now - 86_400 || $0.at > now }
            record.stepUps.append(OAuthRecord.StepUp(operation: operation, at: at))
        case .rediscovered(let found):
            record.discovered = found
            // What mcp-bridge for Node kept says nothing of who gave it.
            if record.tokens?.issuer == "" { record.tokens?.issuer = found.metadata.issuer }
            for at in record.registrations.indices where record.registrations[at].issuer.isEmpty {
                record.registrations[at].issuer = found.metadata.issuer
            }
        case .offlineRefused: record.refusesOffline = true
        case .loggedOut:
            // Whoever signs in again at another server is to know of it.
            record.signedInAt = record.knownIssuer
            record.tokens = nil
            record.registrations = []
            record.attempts = []
            record.verdict = nil
            record.authentication = nil
            record.wantedScopes = []
            record.generation += 1
        }
    }
}
