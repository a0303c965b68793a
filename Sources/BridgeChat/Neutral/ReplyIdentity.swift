/// What an answer is called, whatever the dialect.
package struct ReplyIdentity: Sendable, Hashable {
    /// The request's id, a UUID: in headers, logs and the audit row.
    package let requestID: String
    /// In seconds since 1970.
    package let created: Int
    /// The model as the answer names it.
    package var model: String

    package init(requestID: String, created: Int, model: String) {
        self.requestID = requestID
        self.created = created
        self.model = model
    }

    /// The letters and digits of the request's id: what ids that are derived from it end with.
    private var token: String {
        String(
            decoding: self.requestID.utf8.filter { ("0"..."9").contains($0) || ("a"..."z").contains($0 | 0x20) },
            as: UTF8.self)
    }

    /// The id of the answer.
    package func id(in dialect: ChatDialect) -> String {
        switch dialect {
        case .completions: "chatcmpl-\(self.token)"
        case .responses: "resp_\(self.token)"
        case .messages: "msg_\(self.token)"
        }
    }

    /// The id of an item of a response.
    func itemID(_ prefix: String, _ index: Int) -> String { "\(prefix)_\(self.token)_\(index)" }

    /// What ids of calls begin with that the source has not given.
    package func callPrefix(in dialect: ChatDialect) -> String {
        dialect == .messages ? "toolu_\(self.token)" : "call_\(self.token)"
    }
}

extension ClosedRange<Unicode.Scalar> {
    fileprivate func contains(_ byte: UInt8) -> Bool { self.contains(Unicode.Scalar(byte)) }
}
