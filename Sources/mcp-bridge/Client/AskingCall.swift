import ArgumentParser
import BridgeCore
import BridgeMCP
import Glibc

/// One request that may take long, and may ask whoever sits at the terminal in the meantime. Ctrl-C cancels it.
struct AskingCall {
    private let client: MCPClient
    private let inbox: CallInbox
    /// Who asks, in words for a person.
    private let asker: String
    private var terminal: Terminal?
    private var questions = QuestionQueue()

    private static let signals = [SIGINT, SIGTERM]

    /// - Parameter terminal: nobody is asked without one; the client has said so when it opened its session.
    init(_ client: MCPClient, _ inbox: CallInbox, asker: String, terminal: Terminal?) {
        self.client = client
        self.inbox = inbox
        self.asker = asker
        self.terminal = terminal
    }

    /// Sends the request, and waits for its result.
    ///
    /// - Throws: ``MCPClient/RemoteError``, or the exit status of a call that was cancelled here.
    mutating func run(_ method: String, _ params: JSONText) throws -> JSONText {
        self.inbox.pipe.take(Self.signals)
        defer { WakingPipe.release(Self.signals) }
        let id = try self.client.begin(method, params, self.inbox)
        while true {
            let isTyped = self.wait()
            if let signal = self.inbox.pipe.settle() { throw self.cancelled(id, by: signal) }
            for event in self.inbox.take() {
                if let result = self.heard(event) { return try result.get() }
            }
            if isTyped { self.typed() }
            self.askNext()
        }
    }

    /// - Returns: whether somebody has typed something that was asked for.
    private func wait() -> Bool {
        var waiting = [pollfd(fd: self.inbox.pipe.reading, events: Int16(POLLIN), revents: 0)]
        if self.questions.current != nil, let terminal {
            waiting.append(pollfd(fd: terminal.input, events: Int16(POLLIN), revents: 0))
        }
        guard poll(&waiting, nfds_t(waiting.count), -1) > 0 else { return false }
        return waiting.count > 1 && waiting[1].revents != 0
    }

    private mutating func heard(_ event: CallInbox.Event) -> Result<JSONText, any Error>? {
        switch event {
        case .asked(let id, let params):
            if !self.questions.add(id, params) { self.client.refuse(id, code: -32603, "too many questions at once") }
        case .withdrawn(let id):
            if self.questions.withdraw(id) { self.note("The question has been taken back.") }
        case .pageDone(let page):
            if self.questions.pageDone(page) { self.note("\(self.asker) says that the page is done with.") }
        case .undelivered(let reason): self.note("The answer could not be delivered: \(reason)")
        case .ended(let result):
            if self.questions.current != nil {
                self.note("The question is not open any more.")
                // What was being typed is not meant for the shell.
                self.terminal?.forgetInput()
            }
            return result
        }
        return nil
    }

    private func note(_ text: String) { self.terminal?.write("\n\(text)\n") }

    private func cancelled(_ id: Int, by signal: Int32) -> ExitCode {
        // Whoever presses it twice does not want to wait.
        WakingPipe.release(Self.signals)
        if self.questions.current != nil { self.note("") }
        StandardStreams.error("mcp-bridge: cancelled\n")
        self.client.cancel(id)
        return ExitCode(128 + signal)
    }
}

// Questions.
extension AskingCall {
    private mutating func askNext() {
        while let (id, params) = self.questions.next() {
            do throws(ElicitationProblem) {
                let dialogue = try ElicitationDialogue(params, from: self.asker)
                self.terminal?.forgetInput()
                self.take(self.questions.begin(id, dialogue), params)
            } catch {
                self.note("\(self.asker) has asked something that cannot be asked here: \(error)")
                self.client.refuse(id, code: -32602, "\(error)")
            }
        }
    }

    private mutating func typed() {
        var input = self.terminal?.read() ?? .end
        while self.questions.current != nil {
            switch input {
            case .none: return
            case .end:
                self.terminal?.write("\n")
                return self.take(self.questions.closed(), nil)
            case .line(let line): self.take(self.questions.line(line), nil)
            }
            input = self.terminal?.line() ?? .none
        }
    }

    private mutating func take(_ step: ElicitationDialogue.Step?, _ params: JSONText?) {
        switch step {
        case nil: break
        case .ask(let lines, let prompt):
            self.terminal?.write(lines.map { $0 + "\n" }.joined() + prompt)
            if let page = params?.string("elicitationId") { self.questions.agreed(to: page) }
        case .answer(let answer):
            if let id = self.questions.current?.id { self.client.answer(id, with: answer.result, self.inbox) }
            self.questions.finish()
        }
    }
}

/// How a command that may be asked something is told not to.
struct QuestionOptions: ParsableArguments {
    @Flag(name: .customLong("no-questions"), help: "Say that nobody can be asked, at a terminal too.")
    var areRefused = false
}

extension ServiceOptions {
    /// The result of a request in the middle of which a server may ask something. What goes wrong is said, and ends the
    /// command.
    func result(
        of method: String, _ parameters: JSONText, asking options: QuestionOptions, for asker: String
    ) throws -> JSONText {
        let inbox = try CallInbox()
        let terminal = options.areRefused ? nil : Terminal.ofPerson()
        let client = try self.client(asking: terminal == nil ? nil : inbox)
        defer { client.close() }
        do {
            var call = AskingCall(client, inbox, asker: asker, terminal: terminal)
            return try call.run(method, parameters)
        } catch let error as MCPClient.RemoteError {
            StandardStreams.error("mcp-bridge: \(error)\n")
            throw ExitCode.failure
        }
    }
}
