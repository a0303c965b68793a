package import BridgeCore

extension ChatFault {
    /// The body of a response. It is JSON for requests that want a stream, too.
    ///
    /// - Parameter requestID: the request's id, as the response's headers have it.
    package func body(in dialect: ChatDialect, requestID: String) -> JSONText {
        JSONWriter.object { body in
            switch dialect.family {
            case .openAI: self.writeOpenAI(to: &body)
            case .anthropic: self.writeAnthropic(to: &body, requestID: requestID)
            }
            body.member("detail", ifPresent: self.detail)
        }
    }

    /// `error` must be an object with a `message`: nothing else is shown by all SDKs.
    func writeOpenAI(to body: inout JSONWriter) {
        body.memberObject("error") { error in
            error.member("message", self.message)
            error.member("type", self.kind.openAIType)
            error.member("param", self.param)
            error.member("code", self.kind.word)
        }
    }

    func writeAnthropic(to body: inout JSONWriter, requestID: String) {
        body.member("type", "error")
        body.memberObject("error") { error in
            error.member("type", self.kind.anthropicType)
            error.member("message", self.anthropicMessage)
            error.memberObject("details") { $0.member("error_code", self.kind.word) }
        }
        body.member("request_id", requestID)
    }

    private var anthropicMessage: String {
        self.kind == .contextTooLong ? "prompt is too long: \(self.message)" : self.message
    }
}
