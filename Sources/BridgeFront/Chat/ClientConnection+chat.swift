import BridgeChat
import BridgeConfiguration
import NIOHTTP1

// MARK: Requests of the model APIs

extension ClientConnection {
    func chatCall(_ head: HTTPRequestHead, _ target: ChatTarget) -> ChatCall {
        let limit = self.state.configuration.limits.maximumChatBytes
        if head.method == .POST, let binding,
            let match = binding.match(head, epoch: self.state.epoch, bodyLimit: limit), binding.isGood()
        {
            self.note(head, binding.verdict.fields)
            return ChatCall(self, target, binding.verdict, contentLength: match.contentLength)
        }
        let fields = RequestFields(head.headers)
        self.note(head, fields)
        let verdict = self.chatVerdict(head, fields, target, limit: limit)
        if target.isPosted, verdict.refusal == nil {
            self.binding = HeadBinding(head, verdict, epoch: self.state.epoch)
        }
        return ChatCall(self, target, verdict, contentLength: fields.contentLength)
    }

    private func chatVerdict(
        _ head: HTTPRequestHead, _ fields: RequestFields, _ target: ChatTarget, limit: Int
    ) -> HeadVerdict {
        let isPost = head.method == .POST
        let isAllowed = target.isPosted ? isPost : head.method == .GET || head.method == .HEAD
        return HeadVerdict(
            head, fields, target.route, isPost: isPost, door: self.state.door, tokens: self.state.tokens,
            caller: self.caller,
            check: {
                ChatRules.check(
                    target, isAllowed: isAllowed, fields, limit: limit,
                    base: self.state.configuration.publicURL ?? "http://\(fields.host ?? "localhost")")
            })
    }
}
