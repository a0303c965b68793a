import BridgeAccess
import BridgeChat
import BridgeConfiguration
import BridgeCore
import Logging
import NIOCore

// MARK: What is told

extension ChatCall {
    /// The answer, as the dialect has it.
    func finish(_ answer: ChatAnswer, remarks: ChatRemarks) {
        let telling = self.machine.finish()
        if telling == .nothing { return }
        let outcome = answer.isEmpty ? Self.empty : nil
        let usage = (answer.usage.input, answer.usage.output)
        if self.request.isStreamed {
            if telling == .whole { self.beginStream(model: answer.model, remarks: remarks, stopWord: answer.stopWord) }
            self.write(self.makesStream { $0.answer(answer) })
            self.endStream()
            return self.record(200, failure: outcome, usage: usage, text: answer.text)
        }
        let body = self.dialect.body(of: answer, to: self.request, identity: self.identity)
        let fields = self.headers(model: answer.model, remarks: remarks, stopWord: answer.stopWord)
        self.answer(200, fields, body.bytes)
        self.record(200, failure: outcome, usage: usage, text: answer.text)
    }

    /// A body that is no answer of a model.
    func answer(_ body: JSONText, headers: [(name: String, value: String)] = []) {
        guard self.machine.finish() != .nothing else { return }
        self.answer(200, [ReplyHeaders.request(self.requestID, in: self.dialect)] + headers, body.bytes)
        self.record(200, text: "")
    }

    func tell(_ refusal: Refusal) {
        self.tell(ChatFault(refusal), allows: refusal.field.flatMap { $0.name == "Allow" ? $0.value : nil }, refusal)
    }

    /// What went wrong: with its status where nothing has been said yet, else in the stream, as the dialect has it.
    func tell(_ fault: ChatFault, allows methods: String? = nil, _ refusal: Refusal? = nil) {
        switch self.machine.finish() {
        case .nothing: return
        case .inStream:
            self.write(self.makesStream { $0.fail(fault) })
            self.endStream()
            self.record(200, failure: fault.kind.word, text: fault.message)
        case .whole:
            self.state.metrics.refuse(refusal?.code ?? fault.kind.word)
            self.abandonBody()
            var fields = [ReplyHeaders.request(self.requestID, in: self.dialect)] + fault.headers(in: self.dialect)
            if let methods { fields.append(("allow", methods)) }
            let status = fault.status(in: self.dialect)
            let body = fault.body(in: self.dialect, requestID: self.requestID).bytes
            self.answer(status, fields, body, closes: refusal?.closes ?? false)
            self.record(status, failure: fault.kind.word, text: fault.message)
        }
    }

    func body(of refusal: Refusal) -> ByteBuffer {
        ChatFault(refusal).body(in: self.dialect, requestID: self.requestID).bytes
    }

    private func headers(
        model: String, remarks: ChatRemarks, stopWord: String? = nil
    ) -> [(name: String, value: String)] {
        var all = self.request.remarks
        all.add(remarks)
        return ReplyHeaders.answer(
            in: self.dialect, requestID: self.requestID, model: model.isEmpty ? self.identity.model : model,
            remarks: all, stopWord: stopWord)
    }

    private func answer(
        _ status: Int, _ fields: [(name: String, value: String)], _ body: ByteBuffer, closes: Bool = false
    ) {
        var head = ResponseHead(status, .json(length: body.readableBytes))
        head.closes = closes
        self.fill(&head, fields)
        self.responseBytes += body.readableBytes
        self.count(status)
        self.release()
        self.connection.answer(head, body)
    }

    private func fill(_ head: inout ResponseHead, _ fields: [(name: String, value: String)]) {
        head.fields = fields
        head.origin = self.verdict.origin
        head.access = self.state.limits.fields(for: self.token)
    }

    /// A model that said nothing at all: not an error, and not what anybody wants.
    private static let empty = "empty_answer"
}

// MARK: Streams

extension ChatCall {
    private func makesStream(_ events: (inout ChatStream) -> ByteBuffer) -> ByteBuffer {
        var stream =
            self.stream
            ?? ChatStream(self.dialect, request: self.request, identity: self.identity, options: self.streamOptions)
        defer { self.stream = stream }
        return events(&stream)
    }

    private var streamOptions: ChatStream.Options {
        var options = ChatStream.Options()
        options.putsUsageOnFinish = self.state.configuration.chatStreams.usageOnFinish
        options.endsMessagesWithDone = self.state.configuration.chatStreams.doneAfterMessages
        return options
    }

    private func beginStream(model: String, remarks: ChatRemarks, stopWord: String? = nil) {
        self.count(200)
        self.state.metrics.openStreams += 1
        var head = ResponseHead(200, .chatEvents)
        self.fill(&head, self.headers(model: model, remarks: remarks, stopWord: stopWord))
        self.connection.beginStream(head)
    }

    private func write(_ events: ByteBuffer) {
        self.responseBytes += events.readableBytes
        self.connection.writeStream(events)
    }

    private func endStream() {
        self.state.metrics.openStreams -= 1
        self.release()
        self.connection.endStream()
    }

    /// Sees to it that a client which waits for a stream hears something: at first the head waits for the answer, so that an
    /// error has its own status; later there are signs of life.
    func keepAlive() {
        guard self.request.isStreamed, self.keepAliveTimer == nil, !self.machine.isOver else { return }
        let interval = self.state.configuration.keepAliveInterval.timeAmount
        let delay = self.machine.isStreaming ? interval : min(interval, self.state.chat.headPatience)
        self.keepAliveTimer = self.state.loop.assumeIsolated().scheduleTask(in: delay) {
            self.keepAliveTimer = nil
            self.state.clock.refresh()
            guard !self.machine.isOver else { return }
            if self.machine.beginsStream() { self.beginStream(model: "", remarks: ChatRemarks()) }
            // A client that does not read has more than enough to read.
            if self.connection.isWritable { self.write(self.makesStream { $0.keepAlive() }) }
            self.connection.flushStream()
            self.keepAlive()
        }
    }
}

// MARK: Records

extension ChatCall {
    /// Its body has been read, if not understood.
    func noteReceived(_ bytes: ByteBuffer) {
        self.isRead = true
        guard self.state.logger.logLevel <= .info else { return }
        if self.state.chat.pace.takesTwo(self.state.clock.now) {
            self.log.writeReceived(bytes, isStreamed: self.request.isStreamed, to: self.state.logger)
        } else {
            self.received = self.log.excerpt(of: bytes)
        }
    }

    private var log: ChatRecord {
        ChatRecord(
            requestID: self.requestID, method: self.target.name, model: self.isUnderstood ? self.request.model : nil,
            token: self.token?.id, content: self.state.configuration.audit.content)
    }

    /// It is over.
    ///
    /// - Parameters:
    ///   - failure: the stable word of what went wrong.
    ///   - text: what was told.
    func record(
        _ status: Int, failure: String? = nil, usage: (input: Int, output: Int)? = nil, text: String = ""
    ) {
        guard self.beginsRecord() else { return }
        self.state.clock.refresh()
        let elapsed = self.elapsed
        if self.state.audit.wants(self.token?.id) {
            self.state.audit.record(
                AuditRow(
                    requestID: self.requestID, time: WallTime.milliseconds() - Int(elapsed.nanoseconds / 1_000_000),
                    token: self.token?.id, principal: self.verdict.principal, method: self.target.name,
                    subject: self.isUnderstood ? AuditSubject.printable(self.request.modelName) : nil,
                    requestBytes: self.requestBytes, responseBytes: self.responseBytes,
                    microseconds: Int(elapsed.nanoseconds / 1_000), outcome: failure ?? AuditRow.ok, status: status,
                    user: self.request.user.map { ChatRecord.digest(of: $0) },
                    clientSession: self.verdict.fields.clientSession.map { ChatRecord.digest(of: $0) },
                    inputTokens: self.used?.input, outputTokens: self.used?.output))
        }
        guard self.isRead || self.token?.isAudited == true else { return }
        self.log.writeSent(
            ChatRecord.Sent(
                status: status, elapsed: elapsed, requestBytes: self.requestBytes, responseBytes: self.responseBytes,
                usage: usage, failure: failure, text: text, received: self.received), to: self.state.logger)
        self.received = nil
    }
}
