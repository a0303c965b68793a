import BridgeCore
import BridgeMCP
import NIOCore

enum LogMessage {
    /// The severity of a `notifications/message`, the mildest when it has none that we know; nil for any other message.
    static func severity(of message: ByteBuffer) -> LogSeverity? {
        let message = JSONText(trusting: message)
        guard message.string("method") == "notifications/message" else { return nil }
        return message.value("params")?.string("level").flatMap(LogSeverity.init(rawValue:)) ?? .debug
    }
}
