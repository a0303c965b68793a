import ArgumentParser
import BridgeConfiguration
import BridgeCore
import BridgeMCP
import FoundationEssentials
import Glibc

/// One sign-in from a terminal, from its begin to its end.
struct SignInCourse {
    let client: AuthClient
    let name: String
    let isFresh: Bool
    let isByCode: Bool
    let opensBrowser: Bool
    let comesBackTo: String?

    private let environment = ServiceEnvironment.resembling(
        ProcessInfo.processInfo.environment,
        isSystem: ServicePlaces.isSystemService(ProcessInfo.processInfo.environment)
    ) { StandardStreams.error($0 + "\n") }

    init(client: AuthClient, name: String, isFresh: Bool, isByCode: Bool, opensBrowser: Bool, comesBackTo: String?) {
        self.client = client
        self.name = name
        self.isFresh = isFresh
        self.isByCode = isByCode
        self.opensBrowser = opensBrowser
        self.comesBackTo = comesBackTo
    }

    /// - Throws: ``ExitCode``, once what is wrong has been said; ``ControlClient/Failure``.
    func run() throws {
        if !self.isFresh, let report = try self.client.ask(.status, of: self.name).report, report.phase.isSignedIn {
            StandardStreams.output("\(self.shownName): OAuth state is already authorized.\n")
            return self.show(report)
        }
        let password = self.isByCode ? OwnerPassword.none : OwnerPassword.find(environment: self.environment)
        let begun = try self.begin(mayBeByCode: !self.isAtScreen && !password.isKnown)
        guard let invitation = begun.invitation else { return try self.end(begun) }
        for note in invitation.notes { self.say(PrintableText.line(note)) }
        guard Browser.mayOpen(invitation.url) else {
            _ = try? self.client.ask(.cancel, of: self.name)
            throw self.failed("the server's sign-in page has an address that no browser should be given")
        }
        if try self.fill(invitation, password) { return }
        // From the moment when somebody can see the address, Ctrl-C gives the sign-in up.
        let wait = try SignInWait(client: self.client, name: self.name, until: invitation.until)
        self.invite(invitation)
        try self.end(try wait.run())
    }

    private var isAtScreen: Bool { Browser.isAtHand(self.environment) }
    private var shownName: String { PrintableText.line(self.name) }

    /// Where there is no screen, a code that can be typed in anywhere is best; not every server has that.
    private func begin(mayBeByCode: Bool) throws -> OAuthAnswer {
        if self.isByCode || (mayBeByCode && self.comesBackTo == nil && self.opensBrowser) {
            let answer = try self.client.ask(.device(fresh: self.isFresh), of: self.name)
            if self.isByCode || answer.invitation != nil { return answer }
        }
        return try self.client.ask(.begin(redirect: self.comesBackTo, fresh: self.isFresh), of: self.name)
    }

    /// - Returns: whether that was all.
    private func fill(_ invitation: SignInInvitation, _ password: OwnerPassword) throws -> Bool {
        guard invitation.code == nil else { return false }
        switch password {
        case .none: return false
        case .unavailable(let why):
            self.say(PrintableText.line("The owner's password cannot be read: \(why)."))
            self.say("Owner password unavailable; open and approve manually: \(invitation.url)")
            return false
        case .known where invitation.before != nil:
            let (now, before) = (PrintableText.line(invitation.issuer), PrintableText.line(invitation.before ?? ""))
            self.say("The server names another authorization server than before: it was \(before), and is \(now).")
            self.say("The owner's password is not given to it. If it is the right one, sign in there yourself, once.")
            return false
        case .known(let secret):
            do {
                let query = try ConsentVisit.walk(invitation, password: secret)
                try self.end(try self.client.ask(.redirect(query: query), of: self.name))
                return true
            } catch let given as ConsentVisit.GivenUp {
                self.say(PrintableText.line("The owner's consent page cannot be filled in: \(given)."))
                return false
            }
        }
    }

    private func invite(_ invitation: SignInInvitation) {
        if let code = invitation.code {
            self.say("Open this page on any machine, and type in the code \(PrintableText.line(code)):")
        } else if self.opensBrowser, Browser.open(invitation.url, environment: ProcessInfo.processInfo.environment) {
            self.say("A browser was asked to open this page. Sign in there:")
        } else {
            self.say("Open this page in a browser, and sign in there:")
        }
        // Alone on standard output, for whoever catches it.
        StandardStreams.output(invitation.url + "\n")
        if invitation.code == nil, isatty(STDIN_FILENO) == 1 {
            self.say(
                """
                If the browser runs on another machine, it ends at an address that it cannot open: paste that here.
                If the page does not know this client, stop (Ctrl-C) and try 'mcp-bridge auth \(self.shownName) --fresh'.
                """)
        }
    }

    private func end(_ answer: OAuthAnswer) throws {
        guard answer.isDone else { throw self.failed(answer.text) }
        StandardStreams.output("\(self.shownName): \(PrintableText.line(answer.text, limit: 2_000))\n")
        if let report = answer.report { self.show(report) }
    }

    private func show(_ report: OAuthReport) {
        let now = Int(Date().timeIntervalSince1970)
        if let scope = report.scope, !scope.isEmpty { self.say("scope: \(PrintableText.line(scope))") }
        if let end = report.expires { self.say("its token ends \(AuthTable.time(end, now))") }
        if report.isRenewable {
            self.say("it is renewed by itself")
        } else {
            self.say("the server gave no means to renew it: somebody has to sign in again when it ends")
        }
        for note in report.notes { self.say(PrintableText.line(note)) }
    }

    private func say(_ text: String) { StandardStreams.error(text + "\n") }

    private func failed(_ text: String) -> ExitCode {
        StandardStreams.error("mcp-bridge: \(self.shownName): \(PrintableText.line(text, limit: 2_000))\n")
        return .failure
    }
}

extension OwnerPassword {
    fileprivate var isKnown: Bool { if case .known = self { true } else { false } }
}

extension OAuthPhase {
    /// Whether there is a token that serves, or will again by itself.
    fileprivate var isSignedIn: Bool {
        switch self {
        case .ok, .due, .retrying: true
        case .none, .refused, .signInNeeded, .signingIn, .misconfigured: false
        }
    }
}
