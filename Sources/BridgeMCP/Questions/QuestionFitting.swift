package import BridgeCore
package import NIOCore

/// Whether a client can be asked what a server asks, and how it is put to it.
///
/// What the client did not declare it is not asked; what its revision does not know is put in the words of that revision
/// where there are such, and else the server is told why not.
package enum QuestionFitting {
    package enum Verdict: Equatable {
        /// What is replaced in the question, in its order.
        case ask([Edit])
        /// The client did not declare that it answers such questions.
        case decline
        /// The client answers such questions, but not this one.
        case refuse(String)
    }

    package struct Edit: Equatable {
        package let span: JSONSpan
        package let replacement: ByteBuffer

        package init(_ span: JSONSpan, _ replacement: ByteBuffer) {
            self.span = span
            self.replacement = replacement
        }
    }

    /// - Parameter question: a server's request.
    package static func verdict(
        on question: RPCMessage, to revision: ProtocolRevision, _ capabilities: SessionClaims.Capabilities
    ) -> Verdict {
        switch question.method {
        case "roots/list": return capabilities.contains(.roots) ? .ask([]) : .decline
        case "sampling/createMessage":
            guard capabilities.contains(.sampling) else { return .decline }
            return self.sampling(question, revision, hasTools: capabilities.contains(.samplingTools))
        case "elicitation/create": return self.elicitation(question, revision, capabilities)
        default: return .decline
        }
    }

    // MARK: Sampling

    private static func sampling(_ question: RPCMessage, _ revision: ProtocolRevision, hasTools: Bool) -> Verdict {
        // Tools, and several blocks in a message, came together (client/sampling of 2025-11-25).
        guard revision < .v2025_11_25 || !hasTools else { return .ask([]) }
        for key: StaticString in ["tools", "toolChoice"] where question.param(key) != nil {
            return .refuse("the client did not declare sampling.tools")
        }
        guard revision < .v2025_11_25, let messages = question.param("messages"), messages.kind == .array else {
            return .ask([])
        }
        let text = question.text
        var edits: [Edit] = []
        var reason: String?
        text.elements(in: messages) { message in
            guard reason == nil, message.kind == .object, let content = text.member("content", in: message) else {
                return
            }
            let (only, count) = self.blocks(content, text)
            guard let only, count == 1 else {
                reason = "the client's revision of the protocol knows one block of content in a message"
                return
            }
            if content.kind == .array { edits.append(Edit(content, text[only].bytes)) }
            let kind = text[only].string("type") ?? ""
            if !self.isKnown(kind, to: revision) {
                reason = "the client's revision of the protocol does not know \(kind.prefix(64)) in a message"
            }
        }
        return reason.map(Verdict.refuse) ?? .ask(edits)
    }

    /// What older revisions have in a message; tools' calls and results came with 2025-11-25.
    private static func isKnown(_ kind: String, to revision: ProtocolRevision) -> Bool {
        switch kind {
        case "text", "image": true
        case "audio": revision >= .v2025_03_26
        default: false
        }
    }

    private static func blocks(_ content: JSONSpan, _ text: JSONText) -> (first: JSONSpan?, count: Int) {
        guard content.kind == .array else { return (content, 1) }
        var first: JSONSpan?
        var count = 0
        text.elements(in: content) { block in
            if first == nil { first = block }
            count += 1
        }
        return (first, count)
    }

    // MARK: Elicitation

    private static func elicitation(
        _ question: RPCMessage, _ revision: ProtocolRevision, _ capabilities: SessionClaims.Capabilities
    ) -> Verdict {
        let mode = question.param("mode").flatMap { question.text[$0].string } ?? "form"
        if mode == "url" {
            let isDeclared = capabilities.contains(.elicitationURL) && revision >= .v2025_11_25
            return isDeclared ? .ask([]) : .decline
        }
        guard capabilities.contains(.elicitationForm), revision >= .v2025_06_18 else { return .decline }
        return FormFitting.verdict(on: question, to: revision)
    }
}
