import BridgeCore

/// Which revision a server wants to have proposed, because it had refused a newer one with an error. It holds for a week:
/// a server that was updated is spoken to by the newest again.
package struct RevisionProposal: Sendable, Hashable {
    package static let lifetimeSeconds: UInt64 = 7 * 86_400

    package let revision: ProtocolRevision
    /// In seconds since 1970.
    package let expires: UInt64

    package init(_ revision: ProtocolRevision, expires: UInt64) {
        self.revision = revision
        self.expires = expires
    }

    /// For how many seconds it holds from now on; nil where it does not any more, or for longer than any can.
    package func remaining(now: UInt64) -> UInt64? {
        guard now < self.expires, self.expires - now <= Self.lifetimeSeconds else { return nil }
        return self.expires - now
    }

    /// As the cache keeps it.
    var text: JSONText {
        JSONWriter.object { proposal in
            proposal.member("propose", self.revision.name)
            proposal.member("until", Int(clamping: self.expires))
        }
    }

    init?(_ text: JSONText) {
        guard let revision = text.string("propose").flatMap({ ProtocolRevision(name: $0) }),
            let expires = text.int("until"),
            expires > 0
        else { return nil }
        self.init(revision, expires: UInt64(expires))
    }
}
