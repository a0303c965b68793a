import BridgeCore
import BridgeMCP
import NIOCore

/// The answers to a server's questions that are not the client's own words, or carry them.
enum QuestionReply {
    /// A client's answer, under the server's id.
    ///
    /// - Parameters:
    ///   - payload: the client's response, under an id that the server does not know.
    ///   - revision: the server's. A message of a model's has one block of content before 2025-11-25 (client/sampling).
    static func answer(
        _ payload: ByteBuffer, id: ByteBuffer, to method: String, in revision: ProtocolRevision
    ) -> JSONText? {
        guard payload.readableBytes > 0, let response = try? RPCMessage(JSONText(trusting: payload)),
            let span = response.id
        else { return nil }
        var message = ByteBuffer()
        let text = response.text.withWholePairs
        guard revision < .v2025_11_25, method == "sampling/createMessage", let blocks = Self.blocks(of: text) else {
            text.write(to: &message, replacing: span, with: id)
            return JSONText(trusting: message)
        }
        guard let only = blocks.only else {
            return self.error(
                Fault.internal.code,
                "The client has answered with another number of blocks of content than one, and the server's revision "
                    + "of the protocol has one in a message.", id: id)
        }
        text.write(to: &message, replacing: span, with: id, and: blocks.all, with: text[only].bytes)
        return JSONText(trusting: message)
    }

    /// - Returns: the list of blocks in a sampled message, and its only one; nil where it has no list.
    private static func blocks(of answer: JSONText) -> (all: JSONSpan, only: JSONSpan?)? {
        guard let result = answer.member("result"), result.kind == .object,
            let content = answer.member("content", in: result), content.kind == .array
        else { return nil }
        var blocks: [JSONSpan] = []
        answer.elements(in: content) { blocks.append($0) }
        return (content, blocks.count == 1 ? blocks[0] : nil)
    }

    /// What is said in the place of a client that cannot be asked.
    static func declined(_ question: Questions.Open) -> JSONText {
        self.declined(question.method, wantsTask: question.wantsTask, id: question.id)
    }

    /// - Parameter wantsTask: whether the server wants a task. Then a result would be taken for one.
    static func declined(_ method: String, wantsTask: Bool = false, id: ByteBuffer) -> JSONText {
        guard method == "elicitation/create", !wantsTask else {
            return self.error(Fault.methodNotFound.code, "The client does not answer \(method).", id: id)
        }
        return JSONText(trusting: RPCReply.result(id: id, JSONText(literal: #"{"action":"decline"}"#)))
    }

    /// What is said where nobody has answered in time.
    ///
    /// - Parameter limit: which time, and the setting that moves it.
    static func unanswered(_ question: Questions.Open, _ limit: String) -> JSONText {
        guard question.method == "elicitation/create", !question.wantsTask else {
            return self.error(Fault.internal.code, "The client did not answer \(limit).", id: question.id)
        }
        return JSONText(trusting: RPCReply.result(id: question.id, JSONText(literal: #"{"action":"cancel"}"#)))
    }

    /// What is said where it is not known which call has asked.
    static func ambiguous(id: ByteBuffer) -> JSONText {
        self.error(
            Fault.internal.code,
            "Several calls are or were under way, and nothing says which of them asks. From now on they take turns: "
                + "ask again.",
            id: id)
    }

    static func unknownTask(id: ByteBuffer) -> JSONText {
        self.error(Fault.invalidParams.code, "There is no such task: those for questions end with the call.", id: id)
    }

    static func tooMany(id: ByteBuffer) -> JSONText {
        self.error(Fault.internal.code, "\(Questions.maximum) questions are open already, a fixed limit.", id: id)
    }

    /// What is said in the place of an answer for which there is no room; nil where that is none.
    static func noRoom(for answer: JSONText) -> JSONText? {
        guard let id = (try? RPCMessage(answer))?.idBytes else { return nil }
        return self.error(Fault.internal.code, "Too many answers wait to be read, a fixed limit.", id: id)
    }

    private static func error(_ code: Int, _ message: String, id: ByteBuffer) -> JSONText {
        JSONText(trusting: RPCReply.error(id: id, code: code, message: message))
    }
}
