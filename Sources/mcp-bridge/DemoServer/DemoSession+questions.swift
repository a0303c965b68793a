import BridgeCore
import BridgeMCP
import NIOCore

// Questions to the client in the middle of a call.

extension DemoSession {
    /// Asks for a call, which waits for all the answers.
    mutating func ask(_ questions: [DemoQuestion], for request: DemoRequest) {
        guard let everything = self.everything else { return self.refuseMethod(request) }
        if let question = questions.first(where: { !$0.canBeAsked(of: everything.client) }) {
            let words = "This client has not said that it answers \(question.method)."
            return self.succeed(request, DemoResult.error(words))
        }
        for (id, question) in self.everything?.questions.begin(questions, for: request) ?? [] {
            let message = JSONWriter.object { message in
                message.member("jsonrpc", "2.0")
                message.member("id", id)
                message.member("method", question.method)
                message.member("params", ifPresent: question.parameters(for: request.revision))
            }
            self.send(message.bytes)
        }
    }

    /// Takes in what the client answers.
    mutating func answered(_ message: RPCMessage) {
        guard let id = message.id.flatMap({ message.text[$0].string }) else { return }
        let answered = self.everything?.questions.answered(id) { question in
            if let result = message.result { return question.words(for: message.text[result]) }
            let reason = message.error.flatMap { message.text[$0].string("message") } ?? "no reason"
            return "The client refused \(question.method): \(reason)"
        }
        guard let answered else { return }
        if case .page(let id) = answered.question, message.result != nil {
            self.notify("notifications/elicitation/complete", JSONWriter.object { $0.member("elicitationId", id) })
        }
        guard let call = answered.over else { return }
        self.send(RPCReply.result(id: call.id.bytes, DemoResult.text(call.words.joined(separator: "\n"))))
    }

    /// The client takes a call back: what it was asked for it is not to be answered any more.
    mutating func withdraw(_ call: RPCID) {
        for id in self.everything?.questions.cancel(call) ?? [] {
            self.notify(
                "notifications/cancelled",
                JSONWriter.object {
                    $0.member("requestId", id)
                    $0.member("reason", "the call was cancelled")
                })
        }
    }

    /// Says that a person has to open a page first (client/elicitation, "URL Elicitation Required Error").
    mutating func needPage(_ request: DemoRequest) {
        let id = self.everything?.questions.nextID() ?? ""
        let data = JSONWriter.object { $0.memberArray("elicitations") { $0.element(DemoQuestion.page(id)) } }
        self.send(
            RPCReply.error(
                id: request.id.bytes, code: -32042, message: "A page has to be opened first.", data: data))
    }
}
