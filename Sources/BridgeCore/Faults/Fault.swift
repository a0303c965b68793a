package import NIOCore

/// One kind of thing that goes wrong, as clients are told of it: a row of the table in docs/errors.md.
///
/// The word is what programs may rely on: it is `data.code` of a JSON-RPC error and `error.code` elsewhere, and never
/// changes.
package struct Fault: Sendable, Hashable {
    /// What an error says about the request it answers.
    package enum Effect: Sendable, Hashable {
        /// Nothing has run, whoever was asked.
        case didNotRun
        case mayHaveRun
        case hasRun
        /// It is about the request itself, or about none.
        case unsaid
    }

    package let word: String
    /// The JSON-RPC error code.
    package let code: Int
    /// The HTTP status of a request that is refused with it as a whole. (Within an MCP session an error travels with 200.)
    package let status: Int
    package let effect: Effect
    /// What is told, with `{…}` for what differs from case to case.
    package let sentence: String

    package init(_ word: String, _ code: Int, _ status: Int, _ sentence: String, _ effect: Effect = .unsaid) {
        self.word = word
        self.code = code
        self.status = status
        self.effect = effect
        self.sentence = sentence
    }

    /// The fault as it is told in one case.
    ///
    /// - Parameter values: by the names between the braces of ``sentence``. A name without a value is left out.
    package func told(_ values: KeyValuePairs<String, String> = [:], details: JSONText? = nil) -> ToldFault {
        ToldFault(self, message: self.sentence(values), details: details)
    }

    private func sentence(_ values: KeyValuePairs<String, String>) -> String {
        guard self.sentence.utf8.contains(UInt8(ascii: "{")) else { return self.sentence }
        var text = ""
        var rest = self.sentence[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            text += rest[..<open]
            let name = rest[rest.index(after: open)..<close]
            text += values.first { $0.key == name }?.value ?? ""
            rest = rest[rest.index(after: close)...]
        }
        return text + rest
    }
}

/// A fault with its sentence.
package struct ToldFault: Error, Sendable, Hashable {
    package let fault: Fault
    package let message: String
    /// Further members of `data`.
    package let details: JSONText?

    package init(_ fault: Fault, message: String, details: JSONText? = nil) {
        self.fault = fault
        self.message = message
        self.details = details
    }

    package var word: String { self.fault.word }

    /// The JSON-RPC error response.
    ///
    /// - Parameter id: the request's, as it was written; nil leaves it out.
    package func reply(to id: ByteBuffer?) -> ByteBuffer {
        let data = JSONWriter.object { data in
            data.member("code", self.fault.word)
            self.details?.members { key, value in data.member(key.string, self.details?[value]) }
        }
        return RPCReply.error(id: id, code: self.fault.code, message: self.message, data: data)
    }
}
