import BridgeCore
import NIOCore

/// The tool by which a client lends its model: a call of it stays open, and its client is asked inside it.
enum HookTool {
    static let name = "hook"

    /// Its entry in `tools/list`.
    static let definition = JSONText(
        literal: #"""
            {"name":"hook","description":"Lends this client's model to programs that speak OpenAI's or Anthropic's API to mcp-bridge. The call stays open, and the requests of those programs come as sampling requests while it does. Cancel it to lend nothing any more. It needs no arguments.","inputSchema":{"type":"object","properties":{"input":{"type":"string","description":"Not used."},"messages":{"type":"array","items":{"type":"object"},"description":"Not used."},"model":{"type":"string","description":"Not used."}}},"annotations":{"title":"Lend this client's model","readOnlyHint":true,"openWorldHint":true}}
            """#)

    /// A `tools/list` response with the tool before all others.
    static func added(to response: ByteBuffer) -> ByteBuffer {
        let text = JSONText(trusting: response)
        guard let result = text.member("result"), let tools = text.member("tools", in: result), tools.kind == .array
        else { return response }
        let written = text[tools].bytes
        var list = ByteBuffer()
        list.reserveCapacity(written.readableBytes + Self.definition.count + 2)
        list.writeStaticString("[")
        Self.definition.write(to: &list)
        var isEmpty = true
        text.elements(in: tools) { _ in isEmpty = false }
        if !isEmpty { list.writeStaticString(",") }
        if let rest = written.getSlice(at: written.readerIndex + 1, length: written.readableBytes - 1) {
            list.writeImmutableBuffer(rest)
        }
        return text.replacing(tools, with: list).bytes
    }

    /// Whether a call of it has arguments that it could have. They say nothing that it needs.
    static func takes(_ arguments: JSONText?) -> Bool {
        switch arguments?.kind {
        case nil, .object, .string, .null: true
        case .array, .number, .true, .false: false
        }
    }
}

/// A call of the tool. It stays open for hours, and keeps nothing of what came with it. Confined to the event loop.
final class HookCall {
    let id: RPCID
    let stream: ClientStream
    private let token: JSONText?
    private var progress = 0
    private var lastSaid: NIODeadline

    /// Between two words of progress.
    private static let interval = TimeAmount.seconds(15)

    init(_ request: PendingRequest) {
        self.id = request.id
        self.stream = request.stream
        self.lastSaid = request.now
        let message = request.message
        self.token = message.progressToken.map { message.text[$0].detached }
    }

    /// Says that it goes on, to a client that wants to know.
    func keepAlive(now: NIODeadline) {
        guard let token, now - self.lastSaid >= Self.interval else { return }
        self.lastSaid = now
        self.progress += 1
        let progress = self.progress
        let message = JSONWriter.object { message in
            message.member("jsonrpc", "2.0")
            message.member("method", "notifications/progress")
            message.memberObject("params") { params in
                params.member("progressToken", token)
                params.member("progress", progress)
            }
        }
        self.stream.notify(message.bytes)
    }

    /// It goes on no longer.
    func end(_ why: String) {
        let result = JSONWriter.object { result in
            result.memberArray("content") { content in
                content.object {
                    $0.member("type", "text")
                    $0.member("text", why)
                }
            }
            result.member("isError", true)
        }
        self.stream.reply(RPCReply.result(id: self.id.bytes, result))
    }
}
