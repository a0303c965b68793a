import BridgeAccess
import BridgeConfiguration
import BridgeCore
import Crypto
import Logging
import NIOCore

/// What the log has of one request to a model: what came (RX), and what went (TX).
///
/// Of what was said it has what ``AuditPolicy/content`` says. Headers are never in it, and so no secrets of clients; one of our
/// tokens that stands in a text is made unreadable.
struct ChatRecord {
    let requestID: String
    /// The route.
    let method: String
    var model: String?
    var token: TokenID?
    let content: AuditPolicy.Content

    /// In bytes. More of a text is not logged.
    static let maximumContent = 256 << 10

    func writeReceived(_ body: ByteBuffer, isStreamed: Bool, to logger: Logger) {
        guard logger.logLevel <= .info else { return }
        var metadata = self.metadata("RX")
        metadata["mcp.request_bytes"] = "\(body.readableBytes)"
        metadata["mcp.streamed"] = "\(isStreamed)"
        self.add(self.excerpt(of: body), to: &metadata, as: "mcp")
        logger.info("Model request", metadata: metadata)
    }

    struct Sent {
        var status: Int
        var elapsed: TimeAmount
        var requestBytes: Int
        var responseBytes: Int
        /// Of tokens; nil where nothing was answered.
        var usage: (input: Int, output: Int)?
        /// The stable word of what went wrong.
        var failure: String?
        /// All text of the answer, or of the error.
        var text: String
        /// What had come, where that has no record of its own.
        var received: Excerpt?
    }

    /// What is logged of a text: little, however long that is.
    struct Excerpt {
        let name: String
        let value: String
    }

    func writeSent(_ sent: Sent, to logger: Logger) {
        guard logger.logLevel <= .info else { return }
        var metadata = self.metadata("TX")
        metadata["http.status"] = "\(sent.status)"
        metadata["mcp.duration_us"] = "\(sent.elapsed.nanoseconds / 1_000)"
        metadata["mcp.request_bytes"] = "\(sent.requestBytes)"
        metadata["mcp.response_bytes"] = "\(sent.responseBytes)"
        if let usage = sent.usage {
            metadata["mcp.input_tokens"] = "\(usage.input)"
            metadata["mcp.output_tokens"] = "\(usage.output)"
        }
        if let failure = sent.failure { metadata["error.code"] = "\(failure)" }
        self.add(self.excerpt(of: ByteBuffer(string: sent.text)), to: &metadata, as: "mcp")
        self.add(sent.received, to: &metadata, as: "mcp.request")
        logger.info("Model answer", metadata: metadata)
    }

    private func metadata(_ direction: String) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "mcp.direction": "\(direction)", "mcp.request_id": "\(self.requestID)", "mcp.method": "\(self.method)",
        ]
        if let model { metadata["mcp.model"] = "\(CallRecord.printable(model))" }
        if let token { metadata["mcp.token"] = "\(token)" }
        return metadata
    }

    private func add(_ excerpt: Excerpt?, to metadata: inout Logger.Metadata, as name: String) {
        if let excerpt { metadata["\(name).\(excerpt.name)"] = "\(excerpt.value)" }
    }

    /// Nil where nothing of what was said is logged.
    func excerpt(of text: ByteBuffer) -> Excerpt? {
        switch self.content {
        case .none: nil
        case .digest: Excerpt(name: "digest", value: Self.digest(of: text))
        case .full: Excerpt(name: "content", value: TokenSecret.masked(in: Self.shortened(text)))
        }
    }

    /// The first 16 hexadecimal digits of SHA-256: enough to recognise a text that one has.
    static func digest(of text: ByteBuffer) -> String {
        let digest = text.withUnsafeReadableBytes { SHA256.hash(data: $0) }
        return digest.prefix(8).hexadecimal
    }

    static func digest(of text: String) -> String { Self.digest(of: ByteBuffer(string: text)) }

    private static func shortened(_ text: ByteBuffer) -> String {
        guard text.readableBytes > Self.maximumContent else { return String(buffer: text) }
        return String(buffer: text.getSlice(at: text.readerIndex, length: Self.maximumContent) ?? text) + "…"
    }
}
