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

    /// In what form it sends its messages that they should not have.
    enum Oddity: String {
        case answer = "its answers are not as JSON-RPC has them"
        case request = "its requests are not as JSON-RPC has them"
    }

    private let logger: Logger
    private var rate = LineRate(perSecond: 10)
    private var reported: Set<String> = []
    /// Takes secrets out.
    var masked: ((String) -> String)?

    init(logger: Logger) {
        self.logger = logger
    }

    mutating func noise(_ bytes: ByteBuffer, _ reason: String, now: NIODeadline) {
        self.tell("upstream stdout is not MCP; skipped", bytes, reason, now: now)
    }

    /// There was other text around an answer.
    mutating func amidText(_ bytes: ByteBuffer, now: NIODeadline) {
        self.tell("upstream stdout has an answer amid other text; the answer counts", bytes, "other text", now: now)
    }

    /// An error came that says for no request that it is meant, and there are several, or none.
    mutating func homeless(_ bytes: ByteBuffer, now: NIODeadline) {
        self.tell("upstream reported an error without a request; dropped", bytes, "no id", now: now)
    }

    private mutating func tell(_ message: Logger.Message, _ bytes: ByteBuffer, _ reason: String, now: NIODeadline) {
        guard self.rate.admits(now: now) else { return }
        var metadata = self.metadata(bytes, reason)
        let dropped = self.rate.takeDropped()
        if dropped > 0 { metadata["mcp.dropped"] = "\(dropped)" }
        self.logger.warning(message, metadata: metadata)
    }

    /// What was understood all the same.
    mutating func odd(_ oddity: Oddity, _ bytes: ByteBuffer) {
        guard self.reported.insert(oddity.rawValue).inserted else { return }
        self.logger.warning(
            "upstream is understood although it breaks a rule; not reported again",
            metadata: self.metadata(bytes, oddity.rawValue)
        )
    }

    mutating func stray(_ stray: Stray, _ bytes: ByteBuffer) {
        guard self.reported.insert(stray.rawValue).inserted else { return }
        self.logger.warning(
            "upstream answered what was not asked; dropped, and not reported again",
            metadata: self.metadata(bytes, stray.rawValue)
        )
    }

    /// It asks what nobody is asked.
    mutating func unasked(_ method: String, _ reason: String) {
        guard self.reported.insert("\(method) \(reason)").inserted else { return }
        self.logger.notice(
            "upstream asks and nobody is asked; not reported again",
            metadata: ["mcp.method": "\(method)", "reason": "\(reason)"])
    }

    private func metadata(_ bytes: ByteBuffer, _ reason: String) -> Logger.Metadata {
        let text = self.printable(bytes, limit: Self.printedOctets)
        return ["reason": "\(self.masked?(reason) ?? reason)", "text": "\(text)"]
    }

    /// What the server says, for people: nothing that it was told in confidence is in it, and no half of it either.
    func printable(_ bytes: ByteBuffer, limit: Int) -> String {
        guard let masked else { return ForeignText.printable(bytes, limit: limit) }
        let said = String(decoding: bytes.readableBytesView.prefix(limit + 4_096), as: UTF8.self)
        return ForeignText.printable(ByteBuffer(string: masked(said)), limit: limit)
    }
}
