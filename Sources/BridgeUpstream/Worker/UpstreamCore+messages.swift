import BridgeConfiguration
import BridgeCore
import Logging
import NIOCore

/// What comes from the upstream.
extension UpstreamCore {
    private static let printedOctets = 512

    func received(_ line: LineDecoder.Line) {
        switch line {
        case .whole(let bytes):
            self.received(bytes)
        case .overlong(let beginning):
            let reason = "it sent a line of more than \(self.configuration.maximumLineBytes) bytes"
            self.refuse(beginning, reason)
        case .unfinished(let bytes):
            // Whole all the same, or what was left when it died: then the calls hear of that.
            if let text = try? JSONText(validating: bytes, limits: self.limits) {
                self.received(text)
            } else {
                self.noise(bytes, "the stream ends within a line")
            }
        }
    }

    private func received(_ bytes: ByteBuffer) {
        let first = bytes.readableBytesView.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }
        guard let first else { return }
        guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return self.noise(bytes, "no JSON") }
        do {
            self.received(try JSONText(validating: bytes, limits: self.limits))
        } catch {
            guard error.code == .invalidUTF8, let repaired = self.repaired(bytes),
                let text = try? JSONText(validating: repaired, limits: self.limits)
            else { return self.refuse(bytes, error.description) }
            self.received(text)
        }
    }

    private var limits: JSONLimits { JSONLimits(maximumBytes: max(self.configuration.maximumLineBytes, 1)) }

    private func repaired(_ bytes: ByteBuffer) -> ByteBuffer? {
        guard case .stdio(let launch) = self.configuration.transport else { return nil }
        return UTF8Repair.repaired(bytes, launch.encodingErrors)
    }

    private func received(_ text: JSONText) {
        // Older revisions have batches.
        if text.kind == .array { return text.elements { self.receivedMessage(text[$0]) } }
        self.receivedMessage(text)
    }

    private func receivedMessage(_ text: JSONText) {
        do {
            let message = try RPCMessage(text)
            switch message.shape {
            case .result, .error: self.answered(message)
            case .request: self.asked(message)
            case .notification: self.notified(message)
            }
        } catch {
            self.refuse(text.bytes, error.description)
        }
    }

    /// A line that cannot be read. Where it is seen to be an answer, who waits for it is told.
    private func refuse(_ bytes: ByteBuffer, _ reason: String) {
        self.noise(bytes, reason)
        guard let id = SalvagedResponse.id(in: bytes) else { return }
        if case .call(let call) = self.pending.answered(id) {
            self.finish(call.caller, with: .outcomeUnknown(reason: "its answer cannot be read (\(reason))"))
        } else if let purpose = self.own.take(id) {
            self.ownRequestFailed(purpose, "its answer cannot be read (\(reason))")
        }
    }

    private func noise(_ bytes: ByteBuffer, _ reason: String) {
        guard self.noiseRate.admits(now: .now()) else { return }
        var metadata: Logger.Metadata = [
            "reason": "\(reason)", "text": "\(ForeignText.printable(bytes, limit: Self.printedOctets))",
        ]
        let dropped = self.noiseRate.takeDropped()
        if dropped > 0 { metadata["mcp.dropped"] = "\(dropped)" }
        self.logger.warning("upstream stdout is not MCP; skipped", metadata: metadata)
    }

    // MARK: Answers

    private func answered(_ message: RPCMessage) {
        guard let span = message.id, let id = message.text[span].int else { return self.stray("unknown id", message) }
        switch self.pending.answered(id) {
        case .call(let call): self.finish(call.caller, with: message, id: span)
        case .late: break
        case .duplicate:
            if let purpose = self.own.take(id) {
                self.ownRequestAnswered(purpose, message)
            } else {
                self.stray("answered twice", message)
            }
        case .unknown: self.stray("unknown id", message)
        }
    }

    private func stray(_ kind: String, _ message: RPCMessage) {
        guard self.reportedStrays.insert(kind).inserted else { return }
        self.logger.warning(
            "upstream answered what was not asked; dropped, and not reported again",
            metadata: [
                "reason": "\(kind)",
                "text": "\(ForeignText.printable(message.text.bytes, limit: Self.printedOctets))",
            ]
        )
    }

    // MARK: Requests and notifications

    private func asked(_ message: RPCMessage) {
        guard let id = message.idBytes else { return }
        self.say(ClientMessage.answer(to: message.method ?? "", id: id, roots: self.configuration.roots))
    }

    private func notified(_ message: RPCMessage) {
        switch message.method {
        case "notifications/progress": self.progressed(message)
        case "notifications/message":
            if let call = self.pending.onlyWritten {
                call.log(message)
            } else {
                self.announcer.note(message.text.bytes)
            }
        case "notifications/tools/list_changed":
            self.upkeep.listChanged(now: .now())
            self.rearm()
        case "notifications/cancelled":
            // It takes back a question of the upstream's own, and those are answered as they come.
            break
        default:
            self.announcer.note(message.text.bytes)
        }
    }

    private func progressed(_ message: RPCMessage) {
        guard let token = message.param("progressToken"), let id = message.text[token].int,
            let call = self.pending.progressed(id, now: .now())
        else { return }
        call.progress(message, token: token)
    }
}
