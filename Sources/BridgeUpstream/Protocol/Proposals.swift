import BridgeCore
import BridgeMCP
import NIOCore

/// Which revision `initialize` proposes to one server, start by start: the newest, unless the server has refused that.
///
/// By the specification a server answers with the revision that it speaks. Some answer with an error instead; then older
/// ones are proposed over the same connection. What it took in the end is proposed first from then on, for a week.
///
/// Pure: times come in.
struct Proposals {
    enum Answer: Equatable {
        case propose(ProtocolRevision)
        case giveUp
    }

    /// In turn, where the server does not say which it wants.
    private static let older: [ProtocolRevision] = [.v2025_06_18, .v2025_03_26, .v2024_11_05]
    private static let lifetime = TimeAmount.seconds(Int64(RevisionProposal.lifetimeSeconds))

    private var verdict: (revision: ProtocolRevision, until: NIODeadline)?
    private var current = ProtocolRevision.newest
    /// Refused since a proposal was last taken, perhaps by servers that ended then.
    private(set) var refused: [ProtocolRevision] = []
    /// What the server says it wants.
    private var wanted: ProtocolRevision?
    /// Whether the server has taken a proposal in this life of the worker.
    private var isSettled = false

    /// What was found out in an earlier life.
    mutating func told(_ revision: ProtocolRevision, for lifetime: TimeAmount, now: NIODeadline) {
        if !self.isSettled, self.verdict == nil { self.verdict = (revision, now + min(lifetime, Self.lifetime)) }
    }

    /// What is known already, where it is not the newest.
    var known: ProtocolRevision? { self.verdict?.revision }

    /// A connection is open.
    ///
    /// - Returns: what is proposed.
    mutating func begin(now: NIODeadline) -> ProtocolRevision {
        if let verdict, now >= verdict.until { self.verdict = nil }
        if self.next == nil { self.startOver() }
        self.current = self.next ?? .newest
        return self.current
    }

    private var next: ProtocolRevision? {
        let inTurn = [self.verdict?.revision, .newest, self.wanted].compactMap { $0 }
        let candidates = self.wanted == nil ? inTurn + Self.older : inTurn
        return candidates.first { !self.refused.contains($0) }
    }

    private mutating func startOver() {
        self.refused = []
        self.wanted = nil
    }

    /// The server has answered with an error.
    ///
    /// - Parameter error: of the response.
    mutating func refused(_ error: JSONText) -> Answer {
        if let code = error.int("code"), code == Fault.methodNotFound.code || code == Fault.parseError.code {
            return .giveUp
        }
        self.refused.append(self.current)
        self.verdict = nil
        if let supported = Self.supported(error) {
            let common = supported.compactMap { ProtocolRevision(server: $0) }.max()
            guard let common else {
                self.startOver()
                return .giveUp
            }
            self.wanted = common
        }
        guard let next = self.next else {
            self.startOver()
            return .giveUp
        }
        self.current = next
        return .propose(next)
    }

    /// `data.supported`, as the specification's own example of such an error has it.
    static func supported(_ error: JSONText) -> [String]? {
        guard let list = error.value("data")?.value("supported"), list.kind == .array else { return nil }
        var names: [String] = []
        list.elements { if let name = list[$0].string { names.append(name) } }
        return names
    }

    /// The server has taken what was proposed.
    mutating func accepted(now: NIODeadline) {
        self.isSettled = true
        self.startOver()
        if self.current == .newest {
            self.verdict = nil
        } else if self.verdict?.revision != self.current {
            self.verdict = (self.current, now + Self.lifetime)
        }
    }

    /// The server had taken a proposal, and refuses what speaks of it.
    mutating func regretted(now: NIODeadline) {
        guard self.current > .v2025_06_18 else { return }
        self.verdict = (.v2025_06_18, now + Self.lifetime)
    }

    /// The connection was lost before that.
    mutating func failed() { self.verdict = nil }
}
