import BridgeCore
package import NIOCore

/// A revision of the Model Context Protocol with the `initialize` handshake and sessions.
///
/// Ordered by age.
package enum ProtocolRevision: UInt8, Sendable, CaseIterable, Comparable {
    case v2024_11_05 = 1
    case v2025_03_26 = 2
    case v2025_06_18 = 3
    case v2025_11_25 = 4

    package static let newest = ProtocolRevision.v2025_11_25

    /// As it is spelled in `protocolVersion` and in the `MCP-Protocol-Version` header.
    package var name: String {
        switch self {
        case .v2024_11_05: "2024-11-05"
        case .v2025_03_26: "2025-03-26"
        case .v2025_06_18: "2025-06-18"
        case .v2025_11_25: "2025-11-25"
        }
    }

    package init?(name: some StringProtocol) {
        guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = match
    }

    /// The revision by which a server is to be spoken to that answers `initialize` with this version; `nil` when we speak
    /// none like it.
    ///
    /// 2024-10-07 was never a revision of the specification; SDKs had it while 2024-11-05 was being written, and still
    /// list it. It is that revision as far as we use it.
    package init?(server name: some StringProtocol) {
        self.init(name: name == "2024-10-07" ? "2024-11-05" : String(name))
    }

    /// What is answered to a client that asks for `name`: that revision if we speak it, else the newest that we do
    /// (lifecycle, "Version Negotiation").
    package static func negotiated(for name: some StringProtocol) -> ProtocolRevision {
        ProtocolRevision(name: name) ?? .newest
    }

    /// Whether a POST may hold an array of messages. Added with 2025-03-26 and taken out with 2025-06-18.
    package var allowsBatches: Bool { self == .v2025_03_26 }

    /// Whether a stream may begin with an event that has an id and no data, so that the client can come back for the
    /// rest (basic/transports, "Sending Messages to the Server", since 2025-11-25). Older clients parse every event.
    package var allowsPrimingEvents: Bool { self >= .v2025_11_25 }

    /// What an error has for the id of a request that could not be read. Since 2025-11-25 it has none; the schemas before
    /// know neither that nor `null`, which is JSON-RPC's own word.
    package var unreadableID: ByteBuffer? { self >= .v2025_11_25 ? nil : RPCReply.unreadableID }

    package static func < (lhs: ProtocolRevision, rhs: ProtocolRevision) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// Severity of a log notification (server/utilities/logging), mildest first.
package enum LogSeverity: String, Sendable, CaseIterable, Comparable {
    case debug, info, notice, warning, error, critical, alert, emergency

    package static func < (lhs: LogSeverity, rhs: LogSeverity) -> Bool { lhs.order < rhs.order }

    private var order: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .notice: 2
        case .warning: 3
        case .error: 4
        case .critical: 5
        case .alert: 6
        case .emergency: 7
        }
    }
}
