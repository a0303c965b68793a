package import BridgeCore
import Crypto
import FoundationEssentials

/// What people are told.
extension TokenKeeper {
    static let refusedWords =
        "refused by server: it refuses the tokens that its own authorization server has just given; it may want another audience "
        + "(oauth.resource, oauth.extraParams)"

    static func words(_ verdict: OAuthRecord.Verdict) -> String { "\(verdict.phase.rawValue): \(verdict.reason)" }

    var endedWords: String {
        "sign-in needed: its token \(self.refused == self.record.generation ? "was refused" : "has ended"), and there is none to "
            + "refresh it with"
    }

    package func report(_ now: Moment) -> OAuthReport {
        var report = OAuthReport(phase: .none)
        let tokens = self.record.tokens
        report.generation = self.record.generation
        report.expires = tokens?.expires.map { Int($0) }
        report.issuer = (tokens?.issuer).flatMap { $0.isEmpty ? nil : $0 } ?? self.record.discovered?.metadata.issuer
        report.client = self.record.client.map { Self.digest($0.id) }
        report.registration = self.record.client?.kind.rawValue
        report.scope = tokens.flatMap { $0.granted ?? $0.asked }
        report.isRenewable = self.isRenewable && tokens != nil
        report.holder = self.holder
        report.notes = self.notes + (self.record.discovered?.notes ?? [])
        if let next = self.deadline { report.next = Int(now.wall + next.left(from: now)) }
        self.tell(&report, now)
        return report
    }

    private func tell(_ report: inout OAuthReport, _ now: Moment) {
        switch self.situation {
        case .final(let verdict):
            report.phase = verdict.phase
            report.reason = verdict.reason
            report.since = Int(verdict.since)
            if self.isAlive(now) { report.notes.append("its last token is still good, and used") }
        case .refusedByServer(let since, _):
            report.phase = .refused
            report.reason = String(Self.refusedWords.dropFirst("refused by server: ".count))
            report.since = Int(since)
        case .retrying(let words, let since), .confirming(let words, let since, _), .unclear(let words, let since):
            report.phase = .retrying
            report.reason = words
            report.since = Int(since)
        case .fine:
            guard self.record.tokens != nil else { return }
            report.phase = self.isFlying || (self.schedule.isDue(now) && self.isRenewable) ? .due : .ok
            if !self.isRenewable { self.tellEnd(&report) }
        }
        if !self.record.wantedScopes.isEmpty, report.phase == .ok || report.phase == .due {
            report.phase = .signInNeeded
            report.reason =
                "a call wants more rights: "
                + ForeignWords.short(self.record.wantedScopes.joined(separator: " "), hiding: self.record.secrets)
        }
    }

    private func tellEnd(_ report: inout OAuthReport) {
        let end = report.expires.map { "at \(UTCTime(seconds: $0).text())" } ?? "when its token is refused"
        report.notes.append("there is nothing to refresh its token with: a sign-in is needed again \(end)")
        report.next = nil
    }

    /// By which logs name a client or a token without giving it away: 8 hexadecimal digits.
    package static func digest(_ text: String) -> String {
        SHA256.hash(data: Data(text.utf8)).prefix(4).hexadecimal
    }
}

/// Calls that are refused for want of rights.
extension TokenKeeper {
    /// How often a day one operation may lead to a sign-in.
    private static let mostStepUps = 3

    /// - Parameters:
    ///   - scope: what the server says is missing.
    ///   - operation: what was asked for.
    /// - Returns: what is to be written down: nothing where another sign-in would change nothing.
    package mutating func lacked(_ scope: String?, operation: String, _ now: Moment) -> Action {
        guard let tokens = self.record.tokens,
            let union = ScopeRule.steppedUp(asked: tokens.asked, granted: tokens.granted, challenged: scope),
            self.record.stepUps.filter({ $0.operation == operation && $0.at > now.wall - Self.day }).count
                < Self.mostStepUps,
            union != self.record.wantedScopes
        else { return .none }
        let change = RecordChange.wanted(union, operation: operation, at: now.wall)
        change.apply(to: &self.record, now: now.wall)
        return .keep(change)
    }
}
