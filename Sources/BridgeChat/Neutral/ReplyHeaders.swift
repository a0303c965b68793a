/// Headers of an answer, besides those of its framing. Names are in lower case.
package enum ReplyHeaders {
    /// - Parameters:
    ///   - model: the model that answered, as its source calls it.
    ///   - remarks: the request's, and its source's.
    package static func answer(
        in dialect: ChatDialect, requestID: String, model: String, remarks: ChatRemarks, stopWord: String? = nil
    ) -> [(name: String, value: String)] {
        var headers = [
            Self.request(requestID, in: dialect), ("x-mcp-bridge", "hook"), ("x-mcp-model", Self.word(model)),
        ]
        if let names = remarks.ignoredHeader { headers.append(("x-mcp-bridge-ignored", names)) }
        if let names = remarks.approximatedHeader { headers.append(("x-mcp-bridge-approximated", names)) }
        if let stopWord { headers.append(("x-mcp-stop-reason", Self.word(stopWord))) }
        return headers
    }

    /// The request's id, under the name that the dialect's SDKs look for.
    package static func request(_ id: String, in dialect: ChatDialect) -> (name: String, value: String) {
        (dialect.family == .anthropic ? "request-id" : "x-request-id", id)
    }

    /// For event streams: proxies are to pass every event on at once, and as it is.
    package static let stream: [(name: String, value: String)] = [
        ("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache, no-transform"),
        ("x-accel-buffering", "no"),
    ]

    /// For the list of models.
    package static func models(count: Int, isReady: Bool) -> [(name: String, value: String)] {
        [
            ("x-mcp-bridge", "hook"), ("x-mcp-models-count", String(count)),
            ("x-mcp-session-ready", isReady ? "true" : "false"),
        ]
    }

    /// In bytes.
    private static let maximum = 256

    /// A word of somebody else's as a header may hold it.
    private static func word(_ text: String) -> String {
        let bytes = text.utf8.prefix(Self.maximum).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "_") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
