import BridgeCore

/// Reads a request of Anthropic's messages.
struct MessagesReader {
    private var body: MemberReader
    private var request: ChatRequest

    /// - Parameter text: the body; that of `count_tokens` too, which has fewer members.
    static func read(_ text: JSONText) throws(ChatFault) -> ChatRequest {
        let body = try MemberReader(text.withWholePairs, at: "")
        var reader = MessagesReader(body: body, request: ChatRequest(model: ""))
        return try reader.run()
    }

    private mutating func run() throws(ChatFault) -> ChatRequest {
        self.request.model = try ParameterReading.model(&self.body)
        try self.refuseThread()
        try self.readMessages()
        try self.readTools()
        try self.readToolChoice()
        try self.readParameters()
        // Cache marks have no effect on what is answered.
        self.body.discard("cache_control")
        ParameterReading.keepRest(
            self.body, in: &self.request,
            except: [
                "top_p": JSONText(1), "mcp_servers": .emptyArray, "betas": .emptyArray,
                "thinking": JSONText(literal: #"{"type":"disabled"}"#),
            ])
        try ToolReading.check(&self.request)
        return self.request
    }

    /// A conversation that the service holds: its later requests have only what is new.
    private mutating func refuseThread() throws(ChatFault) {
        guard try self.body.take("thread") != nil else { return }
        throw ChatFault(
            .threadUnsupported, "Nothing is kept between requests; send the whole conversation, without 'thread'",
            param: "thread")
    }

    private mutating func readMessages() throws(ChatFault) {
        var turns = ChatTurns()
        if let system = try self.body.take("system") {
            turns.addSystem(try MessagesContent.texts(system, at: "system", remarks: &self.request.remarks))
        }
        guard let messages = try self.body.array("messages", atMost: ChatRequest.maximumTurns) else {
            throw .invalid("messages", "it is missing")
        }
        for (index, message) in messages.enumerated() {
            try self.readMessage(message, at: "messages[\(index)]", into: &turns)
        }
        guard !turns.turns.isEmpty || !turns.system.isEmpty else { throw .invalid("messages", "they say nothing") }
        self.request.system = turns.system
        self.request.turns = turns.turns
    }

    private mutating func readMessage(
        _ text: JSONText, at path: String, into turns: inout ChatTurns
    ) throws(ChatFault) {
        var members = try MemberReader(text, at: path)
        let role = try members.requiredString("role")
        guard let content = try members.take("content") else { throw .invalid("\(path).content", "it is missing") }
        switch role {
        case "user":
            let blocks = try MessagesContent.blocks(
                content, at: "\(path).content", of: .user, remarks: &self.request.remarks)
            turns.add(ChatTurn(.user, blocks.isEmpty ? [.text("")] : blocks))
        case "assistant":
            let blocks = try MessagesContent.blocks(
                content, at: "\(path).content", of: .assistant, remarks: &self.request.remarks)
            turns.add(ChatTurn(.assistant, blocks))
        case "system":
            turns.addSystem(
                try MessagesContent.texts(content, at: "\(path).content", remarks: &self.request.remarks))
        default: throw .invalid("\(path).role", "'user', 'assistant' or 'system' is expected")
        }
        members.discard("cache_control")
        members.ignoreRest(as: "messages", in: &self.request.remarks)
    }

    private mutating func readParameters() throws(ChatFault) {
        self.request.maximumTokens = try ParameterReading.maximumTokens(&self.body, "max_tokens")
        self.request.temperature = try ParameterReading.temperature(&self.body)
        self.request.stopSequences = try ParameterReading.stopSequences(
            &self.body, "stop_sequences", remarks: &self.request.remarks)
        self.request.isStreamed = try self.body.bool("stream") ?? false
        if var metadata = try self.body.reader("metadata") {
            self.request.user = try metadata.string("user_id")
            metadata.ignoreRest(as: "metadata", in: &self.request.remarks)
        }
        if let format = try self.body.reader("output_format") { try self.readFormat(format, as: "output_format") }
        guard var output = try self.body.reader("output_config") else { return }
        if let format = try output.reader("format") { try self.readFormat(format, as: "output_config.format") }
        output.ignoreRest(as: "output_config", in: &self.request.remarks)
    }

    /// A schema here is always meant to be kept to.
    private mutating func readFormat(_ format: MemberReader, as name: String) throws(ChatFault) {
        var format = format
        guard try format.requiredString("type") == "json_schema" else {
            throw .invalid(format.path("type"), "'json_schema' is expected")
        }
        guard let schema = try format.object("schema") else { throw .invalid(format.path("schema"), "it is missing") }
        self.request.format = .schema(AnswerFormat.Schema(schema: schema, isStrict: true))
        self.request.remarks.approximate(name)
    }
}

// Tools.
extension MessagesReader {
    private mutating func readTools() throws(ChatFault) {
        guard let tools = try self.body.array("tools", atMost: ChatRequest.maximumTools) else { return }
        for (index, tool) in tools.enumerated() {
            var members = try MemberReader(tool, at: "tools[\(index)]")
            let type = try members.string("type") ?? "custom"
            if type == "custom" {
                self.request.tools.append(
                    try ToolReading.function(&members, schema: "input_schema", remarks: &self.request.remarks))
            } else {
                self.request.remarks.ignore("tools.\(type)")
            }
        }
    }

    private mutating func readToolChoice() throws(ChatFault) {
        guard var choice = try self.body.reader("tool_choice") else { return }
        switch try choice.requiredString("type") {
        case "auto": self.request.toolChoice = .automatic
        case "any": self.request.toolChoice = .required
        case "none": self.request.toolChoice = .none
        case "tool":
            self.request.toolChoice = .tool(try choice.requiredString("name"))
            self.request.remarks.approximate("tool_choice")
        default: throw .invalid("tool_choice.type", "'auto', 'any', 'tool' or 'none' is expected")
        }
        if try choice.bool("disable_parallel_tool_use") == true {
            self.request.allowsParallelCalls = false
            self.request.remarks.approximate("tool_choice.disable_parallel_tool_use")
        }
        choice.ignoreRest(as: "tool_choice", in: &self.request.remarks)
    }
}
