import BridgeCore
import Testing

@testable import BridgeChat

@Suite("Faults of chats") struct ChatFaultTests {
    /// Word, status to OpenAI's clients and to Anthropic's, what x-should-retry says, Retry-After.
    static let rows: [(ChatFaultKind, Int, Int, Bool?, Int?)] = [
        (.invalidRequest, 400, 400, nil, nil), (.unsupported, 400, 400, nil, nil),
        (.toolsNotSupported, 400, 400, nil, nil), (.threadUnsupported, 400, 400, nil, nil),
        (.contextTooLong, 400, 400, nil, nil),
        (.invalidToken, 401, 401, false, nil), (.notAllowed, 403, 403, nil, nil),
        (.modelNotAllowed, 403, 403, nil, nil),
        (.notFound, 404, 404, nil, nil), (.methodNotAllowed, 405, 405, nil, nil),
        (.unsupportedMediaType, 415, 415, nil, nil), (.modelNotFound, 404, 404, nil, nil),
        (.requestTimeout, 408, 408, nil, nil),
        (.tooLarge, 413, 413, nil, nil), (.unprocessable, 422, 422, nil, nil), (.rateLimited, 429, 429, nil, 1),
        (.budgetSpent, 429, 429, false, nil), (.internal, 500, 500, nil, nil), (.samplingRefused, 403, 403, false, nil),
        (.badAnswer, 502, 502, nil, nil), (.sourceLost, 502, 502, nil, nil), (.schemaNotMet, 502, 502, false, nil),
        (.noSource, 503, 503, nil, 5), (.sourceNotReady, 503, 503, nil, 2), (.overloaded, 503, 529, nil, 2),
        (.sourceTimeout, 504, 504, false, nil),
    ]

    @Test func `every kind has its row, and every word is the only one`() {
        #expect(Set(Self.rows.map(\.0)) == Set(ChatFaultKind.all))
        #expect(Set(ChatFaultKind.all.map(\.word)).count == ChatFaultKind.all.count)
    }

    @Test(arguments: rows.indices)
    func `a kind has its status and its headers`(index: Int) {
        let (kind, openAI, anthropic, should, after) = Self.rows[index]
        let fault = ChatFault(kind, "m")
        #expect(fault.status(in: .completions) == openAI)
        #expect(fault.status(in: .responses) == (kind == .samplingRefused ? 400 : openAI))
        #expect(fault.status(in: .messages) == anthropic)
        #expect(fault.shouldRetry == should)
        #expect(fault.retryDelay == after)
        let headers = fault.headers(in: .messages)
        #expect(headers.contains { $0.name == "www-authenticate" } == (openAI == 401))
    }

    @Test func `nobody is told to wait more than a minute, unless told not to come back`() {
        #expect(ChatFault(.rateLimited, "m", retryAfter: 3_600).retryDelay == 60)
        #expect(ChatFault(.rateLimited, "m", retryAfter: 0).retryDelay == 1)
        #expect(ChatFault(.budgetSpent, "m", retryAfter: 3_600).retryDelay == 3_600)
    }

    @Test func `what a source was asked for is not asked for again by itself`() {
        #expect(ChatFault(.sourceLost, "m").shouldRetry == nil)
        #expect(ChatFault(.sourceLost, "m", sourceWasAsked: true).shouldRetry == false)
        #expect(ChatFault(.internal, "m", sourceWasAsked: true).shouldRetry == false)
    }

    @Test func `a body is the dialect's own, with a detail beside it`() {
        let fault = ChatFault(.sourceNotReady, "M", param: "p", detail: "D")
        #expect(
            fault.body(in: .completions, requestID: "r").description
                == #"{"error":{"message":"M","type":"server_error","param":"p","code":"source_not_ready"},"detail":"D"}"#
        )
        #expect(
            fault.body(in: .messages, requestID: "r").description
                == #"{"type":"error","error":{"type":"api_error","message":"M","details":{"error_code":"source_not_ready"}},"request_id":"r","detail":"D"}"#
        )
        let long = ChatFault(.contextTooLong, "300 tokens > 200").body(in: .messages, requestID: "r").description
        #expect(long.contains("prompt is too long: 300 tokens"))
    }

    @Test func `names that were ignored go into a header, whatever they are`() {
        var remarks = ChatRemarks()
        #expect(remarks.ignoredHeader == nil)
        for name in ["top_p", "a,b", "x\r\ny", "", String(repeating: "n", count: 500), "top_p"] { remarks.ignore(name) }
        #expect(remarks.ignoredHeader == "top_p, a_b, x__y, _, \(String(repeating: "n", count: 64))")
        for number in 0..<1_000 { remarks.ignore("member_\(number)_\(String(repeating: "x", count: 60))") }
        #expect(remarks.ignored.count == 64)
        #expect((remarks.ignoredHeader?.utf8.count ?? 0) <= 1_030)
        #expect(remarks.unlisted == 1_000 - 59)
    }

    @Test func `C13 a 503 has the text that clients know, as its message and beside it`() {
        for (fault, text) in [
            (ChatFault.noHook, "Hook not initialized - MCP context missing"),
            (.notReady, "MCP session not ready - VS Code Copilot not available"),
        ] {
            #expect(fault.status(in: .messages) == 503)
            #expect(fault.retryDelay.map { (2...5).contains($0) } == true)
            #expect(fault.body(in: .completions, requestID: "r").string("detail") == text)
            #expect(fault.body(in: .completions, requestID: "r").value("error")?.string("message") == text)
        }
    }

    @Test func `C14 C17 headers tell of the bridge, the model and what was ignored`() {
        var remarks = ChatRemarks()
        remarks.ignore("top_p")
        let headers = ReplyHeaders.answer(
            in: .messages, requestID: "r", model: "gpt\r\n5", remarks: remarks, stopWord: "odd")
        #expect(
            headers.map { "\($0.name): \($0.value)" } == [
                "request-id: r", "x-mcp-bridge: hook", "x-mcp-model: gpt__5", "x-mcp-bridge-ignored: top_p",
                "x-mcp-stop-reason: odd",
            ])
        #expect(ReplyHeaders.request("r", in: .responses).name == "x-request-id")
        #expect(ReplyHeaders.models(count: 1, isReady: false).map(\.value) == ["hook", "1", "false"])
    }
}
