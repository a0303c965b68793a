import BridgeConfiguration
import BridgeCore
import BridgeLink
import Logging
import NIOCore

/// What comes from the session worker.
extension UpstreamCore: UpstreamCallOwner {
    /// Written to the child at once at most; then its pipe is asked whether it takes more.
    private static let chunkOctets = 64 << 10
    private static let done = JSONText(literal: #"{"ok":true}"#)

    func opened(_ exchange: Exchange) {
        switch exchange.header.string("op") {
        case "call": self.call(exchange)
        case "watch": self.announcer.watch(exchange)
        case "level":
            exchange.end(header: Self.done)
            self.setLogLevel(exchange.payload)
        case "retry":
            exchange.end(header: Self.done)
            self.perform(self.lifecycle.wanted())
        default:
            exchange.end(header: JSONText(literal: #"{"ok":false,"error":"unknown op"}"#))
        }
    }

    private func call(_ exchange: Exchange) {
        let now = NIODeadline.now()
        guard let call = UpstreamCall(exchange, isLogged: self.logger.logLevel <= .debug, now: now) else {
            let id = exchange.payload.flatMap {
                $0.readableBytes > 0 ? RPCMessage.recoverableID(of: JSONText(trusting: $0)) : nil
            }
            let reply = CallError.invalid.reply(to: id?.bytes, upstream: self.configuration.name)
            return exchange.end(header: Self.done, payload: reply)
        }
        guard !self.isStopping else { return self.finish(call, with: .unavailable(reason: "it is being stopped")) }
        let timeout = call.timeout ?? self.timeout(of: call)
        // Large ones are counted by the gate already.
        let octets = call.octets < PayloadShares<String>.smallest ? call.octets : 0
        guard let id = self.pending.add(call, octets: octets, timeout: timeout, now: now) else {
            return self.finish(call, with: .overloaded)
        }
        call.id = id
        call.owner = self
        call.attach()
        if self.pending.count == 1 { self.upkeep.busy(true, now: now) }
        self.arm(at: now + timeout)
        if self.lifecycle.isConnected {
            self.scheduleDrain()
        } else {
            self.perform(self.lifecycle.needed(now: now))
        }
    }

    private func timeout(of call: UpstreamCall) -> TimeAmount {
        let timeouts = self.configuration.timeouts
        return (call.toolName.flatMap { timeouts.tools[$0] } ?? timeouts.call).timeAmount
    }

    // MARK: Writing

    /// Writes at the end of this turn of the event loop, everything at once.
    func scheduleDrain() {
        guard !self.isDrainScheduled else { return }
        self.isDrainScheduled = true
        let this = NIOLoopBound(self, eventLoop: self.loop)
        self.loop.execute { this.value.drain() }
    }

    private func drain() {
        self.isDrainScheduled = false
        guard let child, child.isWritable else { return }
        var buffer = self.controls
        self.controls = ByteBuffer()
        var holds: [PayloadHold] = []
        if self.lifecycle.isConnected, !self.isHolding, !self.upkeep.isSilent {
            while child.isWritable, let (_, call) = self.pending.write() {
                if let hold = call.writeLine(to: &buffer, scratch: &self.scratch) { holds.append(hold) }
                if buffer.readableBytes >= Self.chunkOctets {
                    child.write(buffer, hold: .all(holds))
                    buffer = ByteBuffer()
                    holds = []
                }
            }
        }
        if buffer.readableBytes > 0 { child.write(buffer, hold: .all(holds)) }
        child.flush()
    }

    // MARK: Endings

    /// The upstream has answered.
    func finish(_ call: UpstreamCall, with response: RPCMessage, id: JSONSpan) {
        guard call.answer(response, id: id) else {
            return self.finish(call, with: .outcomeUnknown(reason: "its answer is too large to be passed on"))
        }
        self.record(call, outcome: response.shape == .error ? "error" : "result")
        self.callsChanged()
    }

    /// The upstream has not answered and will not.
    func finish(_ call: UpstreamCall, with error: CallError) {
        call.fail(error, upstream: self.configuration.name)
        self.record(call, outcome: error.word)
        self.callsChanged()
    }

    func callAbandoned(_ call: UpstreamCall, reason: String) {
        guard let isWritten = self.pending.cancel(call.id) else { return }
        if isWritten { self.say(ClientMessage.cancelled(id: call.id, reason: reason)) }
        self.record(call, outcome: "cancelled")
        self.callsChanged()
    }

    func expireCalls(_ now: NIODeadline) {
        for (id, call) in self.pending.expire(now: now) {
            if call.isWritten {
                self.say(ClientMessage.cancelled(id: id, reason: "timeout"))
                self.finish(call.caller, with: .timedOut(after: call.timeout))
            } else {
                self.finish(call.caller, with: .unavailable(reason: "it was not ready in time (\(self.hindrance))"))
            }
        }
    }

    /// Why a call has not been written.
    private var hindrance: String {
        self.upkeep.isSilent ? "it says nothing, it is busy or hangs" : self.lastError ?? "it takes no input"
    }

    private func record(_ call: UpstreamCall, outcome: String) {
        guard self.logger.logLevel <= .debug else { return }
        var metadata: Logger.Metadata = [
            "mcp.request_id": "\(call.requestID)",
            "mcp.method": "\(call.names?.method ?? "")",
            "mcp.duration_us": "\((NIODeadline.now() - call.arrived).nanoseconds / 1_000)",
            "mcp.outcome": "\(outcome)",
        ]
        if let session = call.session { metadata["mcp.session"] = "\(session)" }
        if let tool = call.names?.tool { metadata["mcp.tool"] = "\(tool)" }
        self.logger.debug("Call finished", metadata: metadata)
    }
}
