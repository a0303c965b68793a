import BridgeCore
import BridgeMCP
import NIOCore

/// What the demo server answers, and when. Pure: bytes and time come in, bytes go out.
struct DemoSession {
    typealias Instant = SuspendingClock.Instant

    /// A line that cannot be answered: who sent it, or as what, could not be told.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    private static let maximumCalls = 1024

    private var output = ByteBuffer()
    private var revision: ProtocolRevision?
    private var level = LogSeverity.debug
    var naps: [DemoNap] = []
    /// With `--everything`.
    var everything: DemoEverything?

    init(isEverything: Bool = false) {
        if isEverything { self.everything = DemoEverything() }
    }

    /// The messages to send, a line each.
    mutating func takeOutput() -> ByteBuffer {
        let output = self.output
        self.output = ByteBuffer()
        return output
    }

    /// When ``advance(to:)`` has something to do.
    var nextDeadline: Instant? { self.naps.lazy.map(\.nextDeadline).min() }

    /// Takes one line.
    mutating func receive(_ line: ByteBuffer, now: Instant) throws(Refusal) {
        let text: JSONText
        do throws(JSONError) {
            text = try JSONText(validating: line)
        } catch {
            throw Refusal(description: "\(error)")
        }
        guard text.kind == .array, self.revision?.allowsBatches == true else { return try self.receive(text, now: now) }
        var refusals: [String] = []
        text.elements { element in
            do throws(Refusal) {
                try self.receive(text[element], now: now)
            } catch {
                refusals.append(error.description)
            }
        }
        if !refusals.isEmpty { throw Refusal(description: refusals.joined(separator: "; ")) }
    }

    private mutating func receive(_ text: JSONText, now: Instant) throws(Refusal) {
        let message: RPCMessage
        do throws(RPCError) {
            message = try RPCMessage(text)
        } catch {
            guard let id = RPCMessage.recoverableID(of: text) else { throw Refusal(description: "\(error)") }
            return self.send(RPCReply.error(id: id.bytes, code: -32600, message: "\(error)"))
        }
        switch message.shape {
        case .request: self.answer(message, now: now)
        case .notification: self.notice(message)
        case .result, .error: self.answered(message)
        }
    }

    private mutating func notice(_ message: RPCMessage) {
        guard message.method == "notifications/cancelled", let id = message.param("requestId") else { return }
        guard let cancelled = RPCID(message.text[id]) else { return }
        // What runs as a task is ended as a task.
        self.naps.removeAll { $0.id == cancelled && $0.task == nil }
        self.withdraw(cancelled)
    }

    private mutating func answer(_ message: RPCMessage, now: Instant) {
        guard let id = message.rpcID else { return }
        let request = DemoRequest(id: id, message: message, revision: self.revision ?? .newest)
        switch (message.method, self.revision) {
        case ("ping", _):
            self.send(RPCReply.result(id: id.bytes, .emptyObject))
        case ("initialize", nil):
            self.initialize(request)
        case ("initialize", _):
            self.refuse(request, -32600, "This session is initialized already.")
        case (_, nil):
            self.refuse(request, -32600, "Send initialize first.")
        case ("tools/list", _):
            guard
                let page = DemoTool.list(
                    for: request.revision, self.everything, cursor: request.parameter("cursor")?.string)
            else { return self.refuse(request, -32602, "No such cursor.") }
            self.succeed(request, page)
        case ("tools/call", _):
            self.call(request, now: now)
        case ("logging/setLevel", _):
            self.setLevel(request)
        default:
            self.answerMore(request, now: now)
        }
    }

    private mutating func initialize(_ request: DemoRequest) {
        guard let wanted = request.parameter("protocolVersion")?.string else {
            return self.refuse(request, -32602, "initialize needs a protocolVersion.")
        }
        let revision = ProtocolRevision.negotiated(for: wanted)
        self.revision = revision
        self.everything?.client = DemoClient(request.parameter("capabilities") ?? .emptyObject)
        self.succeed(request, DemoTool.introduction(for: revision, isEverything: self.everything != nil))
    }

    private mutating func setLevel(_ request: DemoRequest) {
        guard let level = request.parameter("level")?.string.flatMap(LogSeverity.init(rawValue:)) else {
            return self.refuse(request, -32602, "No such level.")
        }
        self.level = level
        self.send(RPCReply.result(id: request.id.bytes, .emptyObject))
    }
}

// MARK: Calls

extension DemoSession {
    private mutating func call(_ request: DemoRequest, now: Instant) {
        guard let name = request.message.name.flatMap({ request.message.text[$0].string }) else {
            return self.refuse(request, -32602, "tools/call needs a name.")
        }
        guard let tool = DemoTool(rawValue: name), tool.isOffered(self.everything) else {
            return self.refuse(request, -32602, "Unknown tool: \(name)")
        }
        let arguments = request.parameter("arguments") ?? .emptyObject
        guard arguments.kind == .object else { return self.refuse(request, -32602, "arguments must be an object.") }
        guard !self.naps.contains(where: { $0.id == request.id && $0.task == nil }),
            self.everything?.questions.contains(request.id) != true
        else {
            return self.refuse(request, -32600, "A call with this id is running.")
        }
        do throws(DemoArguments.Problem) {
            let call = try DemoCall(tool, DemoArguments(arguments, allowed: tool.arguments))
            self.begin(call, request, now: now)
        } catch {
            // Since 2025-11-25 the model is to see its mistake and mend it; before, it was the client's.
            guard request.revision >= .v2025_11_25 else { return self.refuse(request, -32602, error.description) }
            self.send(RPCReply.result(id: request.id.bytes, DemoResult.error(error.description)))
        }
    }

    private mutating func begin(_ call: DemoCall, _ request: DemoRequest, now: Instant) {
        switch call {
        case .sleep(let seconds, let steps):
            guard self.naps.count < Self.maximumCalls else {
                return self.refuse(request, -32000, "Too many calls at once.")
            }
            var nap = DemoNap(request, seconds: seconds, steps: steps, start: now)
            if self.everything != nil, request.parameter("task")?.kind == .object {
                guard let task = self.beginTask(request, now: now) else { return }
                nap.task = task
            }
            self.naps.append(nap)
            self.advance(to: now)
        case .log(let level, let message):
            let isSent = level >= self.level
            if isSent { self.send(DemoResult.logMessage(level: level, message)) }
            let outcome = isSent ? "Logged." : "Not sent: below the level that was set (\(self.level.rawValue))."
            self.send(RPCReply.result(id: request.id.bytes, DemoResult.text(outcome)))
        case .echo(let text):
            self.send(RPCReply.result(id: request.id.bytes, DemoResult.text(text)))
        case .add(let sum):
            self.send(RPCReply.result(id: request.id.bytes, DemoResult.sum(sum, for: request.revision)))
        case .clock(let offset):
            let time = DemoClock.text(offset: offset)
            self.send(RPCReply.result(id: request.id.bytes, DemoResult.text(time)))
        case .fail(let message):
            self.send(RPCReply.result(id: request.id.bytes, DemoResult.error(message)))
        case .content(let kinds):
            self.succeed(request, DemoResult.content(kinds ?? DemoContent.kinds(for: request.revision)))
        case .ask(let questions): self.ask(questions, for: request)
        case .askPage: self.ask([.page(id: self.everything?.questions.nextID() ?? "")], for: request)
        case .needPage: self.needPage(request)
        case .change(let list):
            self.change(list)
            self.succeed(request, DemoResult.text("The list of \(list) is another now."))
        case .touch(let uri):
            let isTold = self.touch(uri)
            self.succeed(request, DemoResult.text(isTold ? "You are told." : "Nobody has subscribed to it."))
        }
    }

    /// Sends what sleeping calls have to say by `now`.
    mutating func advance(to now: Instant) {
        for index in self.naps.indices {
            while let step = self.naps[index].step(at: now) {
                guard let token = self.naps[index].progressToken else { continue }
                self.send(
                    DemoResult.progress(
                        token, step: step, of: self.naps[index].steps, for: self.naps[index].revision))
            }
        }
        let over = self.naps.filter(\.isOver)
        self.naps.removeAll(where: \.isOver)
        for nap in over {
            let result = DemoResult.text("Slept for \(nap.secondsText) seconds.")
            guard let task = nap.task else {
                self.send(RPCReply.result(id: nap.id.bytes, result))
                continue
            }
            self.endTask(task, "completed", result: result)
        }
    }
}

// MARK: Answers

extension DemoSession {
    mutating func succeed(_ request: DemoRequest, _ result: JSONText) {
        self.send(RPCReply.result(id: request.id.bytes, result))
    }

    mutating func refuseMethod(_ request: DemoRequest) {
        self.refuse(request, -32601, "Method not found: \(request.message.method ?? "")")
    }

    mutating func refuse(_ request: DemoRequest, _ code: Int, _ message: String) {
        self.send(RPCReply.error(id: request.id.bytes, code: code, message: message))
    }

    mutating func send(_ message: ByteBuffer) {
        JSONText(trusting: message).writeOnOneLine(to: &self.output)
        self.output.writeInteger(UInt8(ascii: "\n"))
    }
}

/// A request and the rules it is under.
struct DemoRequest {
    let id: RPCID
    let message: RPCMessage
    let revision: ProtocolRevision

    func parameter(_ key: StaticString) -> JSONText? {
        self.message.param(key).map { self.message.text[$0] }
    }
}
