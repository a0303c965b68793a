import BridgeCore
import NIOCore

// What is no message as it should be, and who is told all the same.
extension Conversation {
    /// Of what cannot be read, as much in its server's words as a caller is told, in bytes.
    private static let toldOctets = 512

    /// An object that breaks JSON-RPC's rules: an answer is taken by what it plainly means, a request is refused.
    func receivedOdd(_ text: JSONText, _ flaw: RPCError) {
        let odd = OddMessage(text)
        switch odd.meaning {
        case .answer: self.answered(odd, in: text, flaw)
        case .request: self.refuse(odd, in: text, flaw)
        case .notification, .nothing: self.complaints.noise(text.bytes, flaw.description, now: .now())
        }
    }

    private func refuse(_ odd: OddMessage, in text: JSONText, _ flaw: RPCError) {
        self.complaints.noise(text.bytes, flaw.description, now: .now())
        let id = odd.id.flatMap { $0.kind == .string || $0.kind == .number ? $0 : nil }
        self.say(ClientMessage.refusal(of: id, reason: flaw.description))
    }

    private func answered(_ odd: OddMessage, in text: JSONText, _ flaw: RPCError) {
        guard let id = odd.id, !id.isNull else {
            if let error = odd.onlyError { return self.reported(error, in: text) }
            return self.complaints.noise(text.bytes, flaw.description, now: .now())
        }
        let number = id.ownNumber
        let isUnderWay = number.map(self.isUnderWay) ?? false
        // Its own request, with members of an answer.
        if odd.hasMethod, !isUnderWay { return self.refuse(odd, in: text, flaw) }
        guard let number else { return self.complaints.stray(.unknownID, text.bytes) }
        if let message = odd.answer(to: number) {
            if isUnderWay { self.complaints.odd(.answer, text.bytes) }
            return self.answered(message)
        }
        self.complaints.noise(text.bytes, flaw.description, now: .now())
        self.unreadable(number, flaw.description, said: text.bytes)
    }

    /// An error that says for no request that it is meant: where there is just one, it is.
    ///
    /// There are servers that answer notifications so: each that was sent lately excuses one, and whoever knows that there
    /// is no such method has read the message, and would have read its id.
    func reported(_ error: JSONText, in text: JSONText) {
        let isExcused = self.excuses.take()
        if isExcused || error.int("code") == Fault.methodNotFound.code {
            return self.complaints.homeless(text.bytes, now: .now())
        }
        let requests = self.desk.sentCount + self.own.count
        guard requests == 1, let id = self.desk.onlySent ?? self.own.only,
            let message = OddMessage.answer(to: id, error: error)
        else { return self.complaints.homeless(text.bytes, now: .now()) }
        self.complaints.odd(.answer, text.bytes)
        self.answered(message)
    }

    private func isUnderWay(_ id: Int) -> Bool { self.desk.isUnderWay(id) || self.own.contains(id) }

    // MARK: What is no message at all, or not only

    /// - Parameter request: what it came in answer to, where that is known.
    func couldNotRead(_ what: Unreadable, answering request: Int?) {
        guard !self.isOver else { return }
        var counts = false
        for text in what.found { counts = self.heardAmidText(text) || counts }
        if counts {
            self.complaints.amidText(what.bytes, now: .now())
        } else {
            self.complaints.noise(what.bytes, what.reason, now: .now())
        }
        if let request { return self.unreadable(request, what.reason, said: what.bytes) }
        switch what.fragment?.kind {
        case .answer?:
            guard let fragment = what.fragment, let id = fragment.id.ownNumber else { return }
            self.unreadable(id, what.reason, said: fragment.bytes)
        case .request?: self.say(ClientMessage.refusal(of: what.fragment?.id, reason: what.reason))
        case nil: break
        }
    }

    /// A text that stands amid other text, which may be somebody's data: it can be an answer and nothing else. Our ids
    /// cannot be guessed.
    ///
    /// - Returns: whether it was one.
    private func heardAmidText(_ text: JSONText) -> Bool {
        guard text.kind == .array else { return self.heardObjectAmidText(text) }
        var counts = false
        var count = 0
        text.elements { span in
            count += 1
            if count <= Self.maximumBatch { counts = self.heardObjectAmidText(text[span]) || counts }
        }
        return counts
    }

    private func heardObjectAmidText(_ text: JSONText) -> Bool {
        guard text.kind == .object, !self.isOver else { return false }
        guard let message = try? RPCMessage(text) else { return self.heardOddAmidText(text) }
        switch message.shape {
        case .result, .error:
            guard let id = message.id.flatMap({ message.text[$0].ownNumber }), self.isUnderWay(id) else { return false }
            self.answered(message)
            return true
        case .request where message.method == "ping": self.asked(message)
        case .request:
            let id = message.id.map { message.text[$0] }
            // One that prints what it reads repeats our own.
            if let own = id?.ownNumber, self.isUnderWay(own) { return false }
            self.say(ClientMessage.refusal(of: id, reason: "other text stands on its line"))
        case .notification: break
        }
        return false
    }

    private func heardOddAmidText(_ text: JSONText) -> Bool {
        let odd = OddMessage(text)
        guard odd.meaning == .answer, odd.isVersioned, let id = odd.id?.ownNumber, self.isUnderWay(id) else {
            return false
        }
        if let message = odd.answer(to: id) {
            self.answered(message)
        } else {
            self.unreadable(id, "it is neither a result nor an error", said: text.bytes)
        }
        return true
    }

    /// What seems to be the answer to this request cannot be read: whoever waits for that is told, with the server's words.
    private func unreadable(_ request: Int, _ reason: String, said bytes: ByteBuffer) {
        let words = self.complaints.printable(bytes, limit: Self.toldOctets)
        let flaw = "it said '\(words)', which cannot be read (\(reason))"
        guard !self.desk.unreadable(request, flaw), let purpose = self.own.take(request) else { return }
        self.failed(purpose, flaw)
    }
}
