package import NIOCore

/// One JSON-RPC 2.0 message looked at once, by MCP's rules: an id is a string or an integer and never null in a
/// request, params are an object, batches are not messages.
///
/// A member that is null counts as absent: `method`, `params` and its `_meta`, `error` beside a result, `result` beside an
/// error. Of an answer with nothing else, `"result": null` is an empty object. Not so the id: a request's is never null.
///
/// Spans count from the start of `text`.
package struct RPCMessage: Sendable {
    package enum Shape: Sendable { case request, notification, result, error }

    /// As it came, but without members that count as absent.
    package let text: JSONText
    package let shape: Shape
    /// A string or an integer. Always there in a request and a result; missing from an error response whose id is
    /// `null` or absent.
    package let id: JSONSpan?
    package let methodSpan: JSONSpan?
    /// An object.
    package let params: JSONSpan?
    /// An object: what else MCP asks of it is for the receiver to check.
    package let result: JSONSpan?
    /// An object with an integer `code` and a string `message`.
    package let error: JSONSpan?
    private let known: RPCParams

    package init(_ text: JSONText) throws(RPCError) {
        let (reader, shape) = try Self.look(at: text)
        guard reader.hasNulls else {
            self.init(text, reader, shape)
            return
        }
        let mended = text.withoutNulls(resultIsEmpty: reader.isEmptyResult)
        self.init(mended, try Self.look(at: mended).reader, shape)
    }

    private static func look(at text: JSONText) throws(RPCError) -> (reader: RPCReader, shape: Shape) {
        let outcome = text.withSkipper { skipper in
            Result { () throws(RPCError) in
                var reader = RPCReader(skipper)
                try reader.read(text.kind)
                return (reader, try reader.shape())
            }
        }
        return try outcome.get()
    }

    private init(_ text: JSONText, _ reader: RPCReader, _ shape: Shape) {
        self.text = text
        self.shape = shape
        self.id = reader.id?.kind == .null ? nil : reader.id
        self.methodSpan = reader.method
        self.params = reader.params
        self.result = reader.result
        self.error = reader.error
        self.known = reader.known
    }

    package var method: String? { self.methodSpan.flatMap { self.text[$0].string } }

    /// The id, comparable by value.
    package var rpcID: RPCID? { self.id.flatMap { RPCID(self.text[$0]) } }

    /// The raw JSON of the id, as a reply needs it.
    package var idBytes: ByteBuffer? { self.id.map { self.text[$0].bytes } }

    /// A member of `params`.
    package func param(_ key: StaticString) -> JSONSpan? {
        self.params.flatMap { self.text.member(key, in: $0) }
    }

    /// `params.name`: the tool or prompt that a request is about.
    package var name: JSONSpan? { self.known.name }
    /// `params._meta.progressToken`, of any kind.
    package var progressToken: JSONSpan? { self.known.progressToken }
    /// `params.task`, where it is an object: the request is to run as a task.
    package var task: JSONSpan? { self.known.task.flatMap { $0.kind == .object ? $0 : nil } }

    /// The id of something that was refused as a message, if it has exactly one that is a string or an integer, so that
    /// the refusal can be told to who asked.
    package static func recoverableID(of text: JSONText) -> RPCID? {
        var found: JSONSpan?
        var isRepeated = false
        text.members { key, value in
            guard key == "id" else { return }
            isRepeated = found != nil
            found = value
        }
        guard !isRepeated, let found else { return nil }
        return RPCID(text[found])
    }
}

/// The members of `params` that are found along the way.
struct RPCParams {
    var name: JSONSpan?
    var progressToken: JSONSpan?
    var task: JSONSpan?
}
