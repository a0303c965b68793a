package import BridgeCore
package import NIOCore

/// The progress of a request in which somebody is asked, as the bridge tells it by itself: who hears nothing for a minute
/// gives up, though a person needs longer than that.
///
/// "The progress value MUST increase with each notification" (basic/utilities/progress): the bridge's values go up by next to
/// nothing from the server's last, and a server's that does not go beyond them is lifted.
///
/// Pure.
package struct WaitingProgress {
    /// The longest silence.
    package static let interval = TimeAmount.seconds(15)
    private static let step = 0.0001

    private let token: JSONText
    private let hasMessages: Bool
    private var lastTold: NIODeadline
    /// The server's last value; nil where it was no number. Whether there was one at all.
    private var serversLast: Double?
    private var hasHeard = false
    /// As the server wrote it last.
    private var total: JSONText?
    /// The bridge's own last value, until the server is beyond it.
    private var ownLast: Double?

    /// - Returns: nil where the client does not want to know.
    package init?(of request: RPCMessage, by revision: ProtocolRevision, now: NIODeadline) {
        guard let token = request.progressToken, token.kind == .string || token.kind == .number else { return nil }
        self.token = request.text[token].detached
        // Since 2025-03-26.
        self.hasMessages = revision > .v2024_11_05
        self.lastTold = now
    }

    /// The server tells of its progress.
    ///
    /// - Returns: what the client is told.
    package mutating func heard(_ notification: ByteBuffer, now: NIODeadline) -> ByteBuffer {
        let text = JSONText(trusting: notification)
        let params = text.value("params")
        let before = self.serversLast
        self.serversLast = params?.double("progress")
        self.hasHeard = true
        // One of a number's length: who writes more has no number in mind.
        self.total = params?.value("total").flatMap { $0.kind == .number && $0.count <= 64 ? $0.detached : nil }
        self.lastTold = now
        guard let ownLast = self.ownLast else { return notification }
        guard let span = text.member("params").flatMap({ text.member("progress", in: $0) }),
            let value = text[span].double, value <= ownLast
        else {
            self.ownLast = nil
            return notification
        }
        // What did not rise at the server either is its own affair.
        if let before, value <= before { return notification }
        guard let lifted = Self.above(ownLast) else { return notification }
        self.ownLast = lifted
        return text.replacing(span, with: JSONWriter.value(lifted).bytes).bytes
    }

    /// Whether it has been silent for long enough.
    package func isDue(now: NIODeadline) -> Bool { now - self.lastTold >= Self.interval }

    /// Somebody is asked meanwhile.
    ///
    /// - Returns: what the client is told now; nil where it has been told something lately.
    package mutating func told(now: NIODeadline) -> ByteBuffer? {
        guard self.isDue(now: now) else { return nil }
        self.lastTold = now
        var value = 0.0
        if self.hasHeard {
            guard let last = self.ownLast ?? self.serversLast, let next = Self.above(last) else { return nil }
            value = next
        } else if let next = self.ownLast.flatMap(Self.above) {
            value = next
        }
        self.ownLast = value
        return JSONWriter.object { notification in
            notification.member("jsonrpc", "2.0")
            notification.member("method", "notifications/progress")
            notification.memberObject("params") { params in
                params.member("progressToken", self.token)
                params.member("progress", value)
                params.member("total", ifPresent: self.total)
                if self.hasMessages { params.member("message", "Waiting for an answer to a question") }
            }
        }.bytes
    }

    private static func above(_ value: Double) -> Double? {
        let above = value + max(self.step, value.ulp)
        return above.isFinite ? above : nil
    }
}
