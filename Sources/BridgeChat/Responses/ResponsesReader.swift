import BridgeCore

/// Reads a request of OpenAI's Responses.
struct ResponsesReader {
    private var body: MemberReader
    private var request: ChatRequest

    /// - Parameter text: the body.
    static func read(_ text: JSONText) throws(ChatFault) -> ChatRequest {
        let body = try MemberReader(text.withWholePairs, at: "")
        var reader = ResponsesReader(body: body, request: ChatRequest(model: ""))
        return try reader.run()
    }

    private mutating func run() throws(ChatFault) -> ChatRequest {
        self.request.model = try ParameterReading.model(&self.body)
        try self.refuse()
        try self.readInput()
        try self.readTools()
        try self.readToolChoice()
        try self.readParameters()
        ParameterReading.keepRest(
            self.body, in: &self.request,
            except: [
                "store": .false, "truncation": JSONText("disabled"), "top_p": JSONText(1), "include": .emptyArray,
                "metadata": .emptyObject,
            ])
        try ToolReading.check(&self.request)
        return self.request
    }

    private mutating func readInput() throws(ChatFault) {
        var turns = ChatTurns()
        if let instructions = try self.body.string("instructions") { turns.addSystem([instructions]) }
        guard let input = try self.body.take("input") else { throw .invalid("input", "it is missing") }
        try ResponsesItems.read(input, at: "input", into: &turns, remarks: &self.request.remarks)
        guard !turns.turns.isEmpty || !turns.system.isEmpty else { throw .invalid("input", "it says nothing") }
        self.request.system = turns.system
        self.request.turns = turns.turns
    }

    private mutating func readParameters() throws(ChatFault) {
        self.request.maximumTokens = try ParameterReading.maximumTokens(
            &self.body, "max_output_tokens", "max_tokens", "max_completion_tokens")
        self.request.temperature = try ParameterReading.temperature(&self.body)
        self.request.stopSequences = try ParameterReading.stopSequences(
            &self.body, "stop", remarks: &self.request.remarks)
        if try self.body.bool("parallel_tool_calls") == false {
            self.request.allowsParallelCalls = false
            self.request.remarks.approximate("parallel_tool_calls")
        }
        self.request.isStreamed = try self.body.bool("stream") ?? false
        self.request.user = try self.body.string("user")
        if var options = try self.body.reader("stream_options") {
            if try options.bool("include_obfuscation") == true {
                self.request.remarks.ignore("stream_options.include_obfuscation")
            }
            options.ignoreRest(as: "stream_options", in: &self.request.remarks)
        }
        guard var text = try self.body.reader("text") else { return }
        if let format = try text.reader("format") { try self.readFormat(format) }
        text.ignoreRest(as: "text", in: &self.request.remarks)
    }

    private mutating func readFormat(_ format: MemberReader) throws(ChatFault) {
        var format = format
        switch try format.requiredString("type") {
        case "text": return
        case "json_object": self.request.format = .json
        case "json_schema": self.request.format = try ParameterReading.schema(&format)
        default: throw .invalid(format.path("type"), "'text', 'json_object' or 'json_schema' is expected")
        }
        self.request.remarks.approximate("text.format")
    }

    private static let stateless =
        "nothing is kept between requests; send the whole conversation in 'input' (clients do that with store: false)"

    private mutating func refuse() throws(ChatFault) {
        try Self.refuseState(&self.body)
        try ParameterReading.refuse(
            &self.body, "top_logprobs", because: "sources tell no probabilities", unless: { $0.double == 0 })
    }

    /// What would have to be kept between two requests.
    static func refuseState(_ body: inout MemberReader) throws(ChatFault) {
        for name in ["previous_response_id", "conversation", "prompt"] {
            try ParameterReading.refuse(&body, name, because: Self.stateless)
        }
        try ParameterReading.refuse(&body, "background", because: Self.stateless, unless: { $0.bool == false })
    }
}

// Tools.
extension ResponsesReader {
    private mutating func readTools() throws(ChatFault) {
        guard let tools = try self.body.array("tools", atMost: ChatRequest.maximumTools) else { return }
        for (index, tool) in tools.enumerated() {
            var members = try MemberReader(tool, at: "tools[\(index)]")
            let type = try members.requiredString("type")
            switch type {
            case "function":
                var function = try members.reader("function") ?? members
                self.request.tools.append(
                    try ToolReading.function(&function, schema: "parameters", remarks: &self.request.remarks))
            case "custom":
                self.request.tools.append(try ToolReading.freeform(&members, remarks: &self.request.remarks))
            default:
                // Tools of a namespace, too: how a client wants a call of one told back is not known.
                self.request.remarks.ignore("tools.\(type)")
            }
        }
    }

    private mutating func readToolChoice() throws(ChatFault) {
        guard let choice = try self.body.take("tool_choice") else { return }
        if let word = choice.string {
            self.request.toolChoice = try CompletionsReader.choice(word, at: "tool_choice")
            return
        }
        var members = try MemberReader(choice, at: "tool_choice")
        let type = try members.requiredString("type")
        switch type {
        case "function", "custom":
            self.request.toolChoice = .tool(try members.requiredString("name"))
            self.request.remarks.approximate("tool_choice")
        case "allowed_tools":
            self.request.toolChoice = try CompletionsReader.choice(
                try members.string("mode") ?? "auto", at: members.path("mode"))
            ToolReading.allow(try members.array("tools", atMost: ChatRequest.maximumTools) ?? [], in: &self.request)
        default: throw .unsupported("tool_choice", "nobody here runs a tool of the type \(ChatFault.quoted(type))")
        }
    }
}
