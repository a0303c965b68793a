import BridgeAccess
import BridgeCore
import NIOCore

// MARK: The audit

extension FrontRequest {
    /// Its token, if one was good.
    var tokenID: TokenID? { self.verdict.token?.id }

    /// Notes what is asked, while its bytes are there.
    func noteSubject(_ bytes: ByteBuffer) {
        self.requestBytes = bytes.readableBytes
        guard let body, self.state.audit.wants(self.tokenID) else { return }
        self.subject = AuditSubject.of(bytes, body.method)
    }

    /// It was refused before it was handed on. The log has a record of that only where its token asks for one.
    func recordRefusal(_ status: Int, _ refusal: Refusal) {
        if self.token?.isAudited == true {
            self.record(status, failure: refusal.code)
        } else {
            self.audit(status, failure: refusal.code)
        }
    }

    /// It is over.
    func audit(_ status: Int, failure: String?) {
        let token = self.tokenID
        guard self.state.audit.wants(token), !self.isAudited else { return }
        self.isAudited = true
        let elapsed = self.elapsed
        self.state.audit.record(
            AuditRow(
                requestID: self.name().description,
                time: WallTime.milliseconds() - Int(elapsed.nanoseconds / 1_000_000),
                token: token, principal: self.verdict.principal, method: CallRecord.printable(self.method),
                subject: self.subject, requestBytes: self.requestBytes, responseBytes: self.responseBytes,
                microseconds: Int(elapsed.nanoseconds / 1_000), outcome: failure ?? AuditRow.ok, status: status))
    }
}

/// What a request is about: the name of a tool or prompt, the URI of a resource.
enum AuditSubject {
    /// In characters.
    static let limit = 256

    static func of(_ bytes: ByteBuffer, _ method: String) -> String? {
        let key: StaticString
        switch method {
        case "tools/call", "prompts/get": key = "name"
        case "resources/read", "resources/subscribe", "resources/unsubscribe": key = "uri"
        default: return nil
        }
        return JSONText(trusting: bytes).value("params")?.string(key).map(Self.printable)
    }

    /// Whatever a client wrote: bounded, and on one line.
    static func printable(_ subject: String) -> String {
        // As a rule.
        if subject.utf8.count <= Self.limit, subject.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return subject }
        return String(
            String.UnicodeScalarView(
                subject.unicodeScalars.prefix(Self.limit).map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }
}
