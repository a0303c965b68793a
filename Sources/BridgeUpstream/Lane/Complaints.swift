import BridgeCore
import Logging
import NIOCore

/// Puts into the log what a server says and nobody can use: not too often, and mistakes of one kind once a connection.
struct Complaints {
    /// What the server sent that it was not asked for.
    enum Stray: String {
        case unknownID = "unknown id"
        case answeredTwice = "answered twice"
    }

    private static let printedOctets = 512

    private let logger: Logger
    private var rate = LineRate(perSecond: 10)
    private var reported: Set<Stray> = []

    init(logger: Logger) {
        self.logger = logger
    }

    mutating func noise(_ bytes: ByteBuffer, _ reason: String, now: NIODeadline) {
        guard self.rate.admits(now: now) else { return }
        var metadata = Self.metadata(bytes, reason)
        let dropped = self.rate.takeDropped()
        if dropped > 0 { metadata["mcp.dropped"] = "\(dropped)" }
        self.logger.warning("upstream stdout is not MCP; skipped", metadata: metadata)
    }

    mutating func stray(_ stray: Stray, _ bytes: ByteBuffer) {
        guard self.reported.insert(stray).inserted else { return }
        self.logger.warning(
            "upstream answered what was not asked; dropped, and not reported again",
            metadata: Self.metadata(bytes, stray.rawValue)
        )
    }

    private static func metadata(_ bytes: ByteBuffer, _ reason: String) -> Logger.Metadata {
        ["reason": "\(reason)", "text": "\(ForeignText.printable(bytes, limit: Self.printedOctets))"]
    }
}
