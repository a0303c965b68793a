import BridgeConfiguration
import BridgeCore
import BridgeMCP

/// A client's `initialize`, and how it is answered.
struct Initialization {
    let revision: ProtocolRevision
    /// `clientInfo.name`.
    let client: String?
    private let capabilities: SessionClaims.Capabilities

    init(_ message: RPCMessage) throws(ToldFault) {
        let text = message.text
        guard let asked = message.param("protocolVersion").flatMap({ text[$0].string }) else {
            throw .invalidParams("protocolVersion is required")
        }
        self.revision = ProtocolRevision.negotiated(for: asked)
        self.client = message.param("clientInfo").flatMap { text[$0].string("name") }
        self.capabilities = SessionClaims.Capabilities(declared: message.param("capabilities").map { text[$0] })
    }

    /// Of a new session.
    func claims(of principal: String, _ configuration: SessionConfiguration, now: UInt64) -> SessionClaims {
        SessionClaims(
            number: .random(in: .min ... .max),
            revision: self.revision,
            capabilities: self.capabilities,
            safeNames: configuration.showsSafeNames(to: self.client),
            principal: principal,
            created: now,
            expires: now + UInt64(max(1, configuration.sessionLifetime.rawValue)),
            client: self.samplingClient
        )
    }

    /// The client's name, where it can sample.
    private var samplingClient: String? { self.capabilities.contains(.sampling) ? self.client : nil }

    /// Of a session that was opened without it: the same, with what has been negotiated.
    func claims(of opened: SessionClaims, _ configuration: SessionConfiguration) -> SessionClaims {
        var claims = opened
        claims.revision = self.revision
        claims.capabilities = self.capabilities
        claims.safeNames = configuration.showsSafeNames(to: self.client)
        claims.client = SessionClaims.fitting(self.samplingClient)
        return claims
    }

    /// Of a session that lasts as long as its stream, before it is initialized: there are clients that open their stream again
    /// and go on as if nothing had been. This is what can be said of one that declares nothing.
    static func claimsWithout(of principal: String, _ configuration: SessionConfiguration, now: UInt64) -> SessionClaims
    {
        SessionClaims(
            number: .random(in: .min ... .max), revision: .v2024_11_05, capabilities: [], safeNames: false,
            principal: principal, created: now,
            expires: now + UInt64(max(1, configuration.sessionLifetime.rawValue)), endsWithStream: true
        )
    }

    /// - Parameter tasks: what is declared of tasks, to those that can know of them.
    func result(
        _ configuration: SessionConfiguration, offerings: [Offering], instructions: String?, tasks: JSONText?
    ) -> JSONText {
        JSONWriter.object { result in
            result.member("protocolVersion", self.revision.name)
            result.memberObject("capabilities") { capabilities in
                capabilities.memberObject("logging") { _ in }
                for (capability, isAnnounced) in Self.capabilities(of: offerings) {
                    capabilities.memberObject(capability) {
                        if isAnnounced { $0.member("listChanged", true) }
                        if capability == Offering.resources.capability { $0.member("subscribe", true) }
                    }
                }
                // Completion came with 2025-03-26's word for it; the request is older.
                let isCompleted = offerings.contains(.prompts) || offerings.contains(.templates)
                if isCompleted, self.revision >= .v2025_03_26 { capabilities.memberObject("completions") { _ in } }
                if self.revision >= .v2025_11_25 { capabilities.member("tasks", ifPresent: tasks) }
            }
            result.memberObject("serverInfo") { info in
                info.member("name", configuration.serverName)
                info.member("version", configuration.serverVersion)
            }
            result.member("instructions", ifPresent: instructions)
        }
    }

    /// Each capability once, and whether its lists' changes are told.
    private static func capabilities(of offerings: [Offering]) -> [(name: String, isAnnounced: Bool)] {
        var capabilities: [(name: String, isAnnounced: Bool)] = []
        for offering in offerings where !capabilities.contains(where: { $0.name == offering.capability }) {
            let isAnnounced = offerings.contains { $0.capability == offering.capability && $0.changed != nil }
            capabilities.append((offering.capability, isAnnounced))
        }
        return capabilities
    }
}
