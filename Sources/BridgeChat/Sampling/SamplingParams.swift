package import BridgeCore
import NIOCore

/// The `params` of a `sampling/createMessage` (2025-11-25, client/sampling; without tools those of older revisions, too).
package struct SamplingParams: Sendable, Hashable {
    package let text: JSONText
    /// What this source makes of the request beyond what its reader knew.
    package let remarks: ChatRemarks

    /// - Throws: what the source cannot do. Nobody has been asked then.
    package init(
        _ request: ChatRequest, preferences: ModelPreferences, maximumTokens: Int, abilities: SamplingAbilities
    ) throws(ChatFault) {
        try self.init(request, abilities, preferences, maximumTokens)
    }

    /// - Parameter preferences: nothing is said of models where there are none.
    init(
        _ request: ChatRequest, _ abilities: SamplingAbilities, _ preferences: ModelPreferences? = nil,
        _ maximumTokens: Int? = nil
    ) throws(ChatFault) {
        if !abilities.takesTools, !request.callableTools.isEmpty { throw .sourceWithoutTools }
        let conversation = try SamplingConversation(request.turns, for: abilities)
        var remarks = conversation.remarks
        if !abilities.takesTools, !request.tools.isEmpty { remarks.ignore("tools") }
        self.remarks = remarks
        self.text = JSONWriter.object { params in
            params.memberArray("messages") { messages in
                for turn in conversation.turns { Self.write(turn, lists: abilities.takesLists, to: &messages) }
            }
            preferences?.write(to: &params)
            params.member("systemPrompt", ifPresent: request.systemPrompt)
            if !abilities.isModern { params.member("includeContext", "none") }
            params.member("temperature", ifPresent: request.temperature.map(ShortNumber.init))
            params.member("maxTokens", ifPresent: maximumTokens)
            if !request.stopSequences.isEmpty { params.member("stopSequences", request.stopSequences) }
            if abilities.takesTools { Self.writeTools(of: request, to: &params) }
        }
    }

    private static func writeTools(of request: ChatRequest, to params: inout JSONWriter) {
        var tools = request.tools
        // A single tool that must be called is the one that is forced.
        if case .tool(let name) = request.toolChoice { tools.removeAll { $0.name != name } }
        if tools.isEmpty { return }
        params.memberArray("tools") { list in
            for tool in tools {
                list.object { entry in
                    entry.member("name", tool.name)
                    entry.member("description", ifPresent: tool.description)
                    entry.member("inputSchema", tool.inputSchema)
                }
            }
        }
        params.memberObject("toolChoice") { choice in
            switch request.toolChoice {
            case .automatic: choice.member("mode", "auto")
            case .none: choice.member("mode", "none")
            case .required, .tool: choice.member("mode", "required")
            }
        }
    }
}

// Messages.
extension SamplingParams {
    /// - Parameter lists: whether content may be a list. One block is written by itself in any case: there are clients
    ///   that lose a list.
    private static func write(_ turn: ChatTurn, lists: Bool, to messages: inout JSONWriter) {
        let role = turn.role == .assistant ? "assistant" : "user"
        guard lists, turn.blocks.count > 1 else {
            for block in turn.blocks {
                messages.object { message in
                    message.member("role", role)
                    message.member("content", SamplingBlock(block: block))
                }
            }
            return
        }
        messages.object { message in
            message.member("role", role)
            message.memberArray("content") { for block in turn.blocks { $0.element(SamplingBlock(block: block)) } }
        }
    }
}

/// A block as MCP writes it.
struct SamplingBlock: JSONWritable {
    let block: ChatBlock

    func write(toJSON buffer: inout ByteBuffer) {
        var writer = JSONWriter(buffer)
        buffer = ByteBuffer()
        writer.object { object in
            switch self.block {
            case .content(let content): Self.write(content, to: &object)
            case .toolUse(let use):
                object.member("type", "tool_use")
                object.member("id", use.id)
                object.member("name", use.name)
                object.member("input", use.input)
            case .toolResult(let result):
                object.member("type", "tool_result")
                object.member("toolUseId", result.id)
                object.memberArray("content") { list in
                    for content in result.content { list.object { Self.write(content, to: &$0) } }
                }
                if result.isError { object.member("isError", true) }
            }
        }
        buffer = writer.buffer
    }

    private static func write(_ content: ChatContent, to object: inout JSONWriter) {
        switch content {
        case .text(let text):
            object.member("type", "text")
            object.member("text", text)
        case .image(let media), .audio(let media):
            if case .image = content { object.member("type", "image") } else { object.member("type", "audio") }
            object.member("data", media.quoted)
            object.member("mimeType", media.mimeType)
        }
    }
}

extension ChatMedia {
    /// The data as a JSON string: none of its characters needs an escape.
    struct Quoted: JSONWritable {
        let media: ChatMedia

        func write(toJSON buffer: inout ByteBuffer) {
            buffer.reserveCapacity(minimumWritableBytes: self.media.base64.readableBytes + 2)
            buffer.writeInteger(UInt8(ascii: "\""))
            buffer.writeImmutableBuffer(self.media.base64)
            buffer.writeInteger(UInt8(ascii: "\""))
        }
    }

    var quoted: Quoted { Quoted(media: self) }

    /// The data as a `data:` URL.
    var dataURL: String { "data:\(self.mimeType);base64,\(String(buffer: self.base64))" }
}

/// A number as people write it: `1`, not `1.0`.
struct ShortNumber: JSONWritable {
    let value: Double

    init(_ value: Double) { self.value = value }

    func write(toJSON buffer: inout ByteBuffer) {
        if let integer = Int(exactly: self.value) {
            integer.write(toJSON: &buffer)
        } else {
            self.value.write(toJSON: &buffer)
        }
    }
}

extension ChatRequest {
    /// All system texts that come first, a blank line between them, and what the answer's text must be.
    var systemPrompt: String? {
        let parts = self.system + [self.format.instruction].compactMap(\.self)
        return parts.isEmpty ? nil : parts.joined(separator: "\n\n")
    }
}
