import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore

// What becomes of the ids in servers' questions.

extension CallDesk {
    /// A server's question as it is put to its client.
    ///
    /// - Parameters:
    ///   - ownID: the id that the client knows it by.
    ///   - number: the asker's own.
    func put(
        _ question: RPCMessage, at id: JSONSpan, as ownID: String, _ edits: [QuestionFitting.Edit], of call: Call,
        _ number: Int
    ) -> ByteBuffer {
        var replaced = edits.map { ($0.span, $0.replacement) }
        replaced.append((id, Self.quoted(ownID)))
        if let page = question.param("elicitationId"), let pageID = question.text[page].string,
            let told = self.told(pageID, of: call)
        {
            replaced.append((page, Self.quoted(told)))
        }
        if let token = question.progressToken, token.kind == .string || token.kind == .number,
            let given = call.caller.questionTokens.give(call, number, question.text[token])
        {
            replaced.append((token, given.bytes))
        }
        replaced.sort { $0.0.lowerBound < $1.0.lowerBound }
        var put = ByteBuffer()
        question.text.write(to: &put, replacing: replaced)
        return put
    }

    /// An error of a server's own, where it has to be told in other words: nil where not.
    func fitted(error response: ByteBuffer, of call: Call) -> ByteBuffer? {
        RequiredElicitations.fitted(response, to: call.caller.revision) { self.told($0, of: call) }
    }

    private func told(_ pageID: String, of call: Call) -> String? {
        guard let session = call.caller.number else { return nil }
        let server = Self.child(of: call.upstream, for: call.caller.lane(to: call.upstream))
        return self.elicitations.note(pageID, of: server, in: session)
    }

    /// A notification of a server that belongs to no call, if it says that a page is done: whom it is for, and in which
    /// words. Nobody else hears of it.
    ///
    /// - Parameter owner: whose lane it came over; nil where everybody shares it.
    /// - Returns: nil for any other notification.
    func pageDone(
        _ note: ByteBuffer, from upstream: UpstreamLink, for owner: String? = nil
    ) -> (session: UInt64, message: ByteBuffer)?? {
        guard let message = try? RPCMessage(JSONText(trusting: note)),
            message.method == "notifications/elicitation/complete"
        else { return nil }
        guard let span = message.param("elicitationId"), let id = message.text[span].string,
            let (session, ownID) = self.elicitations.done(id, of: Self.child(of: upstream, for: owner))
        else { return .some(nil) }
        let told = message.text.replacing(span, with: Self.quoted(ownID)).bytes
        // It is the page that tells whose it is; a task would be named as its server names it.
        return (session, TaskMessages.mapped(told) { _ in nil })
    }

    /// Each child of a server may count its pages from one.
    ///
    /// - Parameter owner: whose child it is; nil for the one that everybody shares.
    private static func child(of upstream: UpstreamLink, for owner: String?) -> String {
        upstream.route.name + "\u{0}" + (owner ?? "")
    }

    private static func quoted(_ id: String) -> ByteBuffer {
        var quoted = ByteBuffer()
        quoted.writeJSONString(id)
        return quoted
    }
}
