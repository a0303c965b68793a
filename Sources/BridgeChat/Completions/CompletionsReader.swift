import BridgeCore

/// Reads a request of OpenAI's chat completions.
struct CompletionsReader {
    private var body: MemberReader
    private var request: ChatRequest

    /// - Parameter text: the body.
    static func read(_ text: JSONText) throws(ChatFault) -> ChatRequest {
        let body = try MemberReader(text.withWholePairs, at: "")
        var reader = CompletionsReader(body: body, request: ChatRequest(model: ""))
        return try reader.run()
    }

    private mutating func run() throws(ChatFault) -> ChatRequest {
        self.request.model = try ParameterReading.model(&self.body)
        try self.readMessages()
        try self.readTools()
        try self.readToolChoice()
        try self.readFunctions()
        try self.readParameters()
        try self.refuse()
        ParameterReading.keepRest(
            self.body, in: &self.request,
            except: [
                "store": .false, "top_p": JSONText(1), "frequency_penalty": JSONText(0),
                "presence_penalty": JSONText(0),
                "logit_bias": .emptyObject, "metadata": .emptyObject,
            ])
        try ToolReading.check(&self.request)
        return self.request
    }

    private mutating func readMessages() throws(ChatFault) {
        var remarks = ChatRemarks()
        var turns = ChatTurns()
        if let messages = try self.body.array("messages", atMost: ChatRequest.maximumTurns) {
            for (index, message) in messages.enumerated() {
                try CompletionsMessage.read(message, at: "messages[\(index)]", into: &turns, remarks: &remarks)
            }
        } else if let input = try self.body.take("input") {
            // Some clients post a body of Responses here. What it would refuse there, it does here: an answer without the
            // conversation before it is none.
            try ResponsesReader.refuseState(&self.body)
            if let instructions = try self.body.string("instructions") { turns.addSystem([instructions]) }
            try ResponsesItems.read(input, at: "input", into: &turns, remarks: &remarks)
            remarks.approximate("input")
        } else {
            throw .invalid("messages", "it is missing")
        }
        guard !turns.turns.isEmpty || !turns.system.isEmpty else { throw .invalid("messages", "they say nothing") }
        self.request.system = turns.system
        self.request.turns = turns.turns
        self.request.remarks.add(remarks)
    }

    private mutating func readParameters() throws(ChatFault) {
        self.request.maximumTokens = try ParameterReading.maximumTokens(
            &self.body, "max_tokens", "max_completion_tokens", "max_output_tokens")
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
            self.request.wantsUsage = try options.bool("include_usage") ?? false
            if try options.bool("include_obfuscation") == true {
                self.request.remarks.ignore("stream_options.include_obfuscation")
            }
            options.ignoreRest(as: "stream_options", in: &self.request.remarks)
        }
        if let format = try self.body.reader("response_format") { try self.readFormat(format) }
    }

    private mutating func readFormat(_ format: MemberReader) throws(ChatFault) {
        var format = format
        switch try format.requiredString("type") {
        case "text": return
        case "json_object": self.request.format = .json
        case "json_schema":
            guard var schema = try format.reader("json_schema") else {
                throw .invalid(format.path("json_schema"), "it is missing")
            }
            self.request.format = try ParameterReading.schema(&schema)
        default: throw .invalid(format.path("type"), "'text', 'json_object' or 'json_schema' is expected")
        }
        self.request.remarks.approximate("response_format")
    }

    private mutating func refuse() throws(ChatFault) {
        if let count = try self.body.integer("n"), count != 1 {
            throw count > 1
                ? .unsupported("n", "there is one answer to a request") : .invalid("n", "it must be positive")
        }
        try ParameterReading.refuse(
            &self.body, "logprobs", because: "sources tell no probabilities", unless: { $0.bool == false })
        try ParameterReading.refuse(
            &self.body, "top_logprobs", because: "sources tell no probabilities", unless: { $0.double == 0 })
        try ParameterReading.refuse(
            &self.body, "modalities", because: "answers are text",
            unless: { value in value.elementTexts.allSatisfy { $0.string == "text" } && value.kind == .array })
        try ParameterReading.refuse(&self.body, "prediction", because: "sources take none")
        try ParameterReading.refuse(
            &self.body, "echo", because: "an answer is only the answer", unless: { $0.bool == false })
    }
}

// Tools.
extension CompletionsReader {
    private mutating func readTools() throws(ChatFault) {
        guard let tools = try self.body.array("tools", atMost: ChatRequest.maximumTools) else { return }
        for (index, tool) in tools.enumerated() {
            var members = try MemberReader(tool, at: "tools[\(index)]")
            let type = try members.string("type") ?? "function"
            switch type {
            case "function":
                // Written flat by clients that have Responses in mind.
                var function = try members.reader("function") ?? members
                self.request.tools.append(
                    try ToolReading.function(&function, schema: "parameters", remarks: &self.request.remarks))
            case "custom":
                var custom = try members.reader("custom") ?? members
                self.request.tools.append(try ToolReading.freeform(&custom, remarks: &self.request.remarks))
            default: self.request.remarks.ignore("tools.\(type)")
            }
        }
    }

    private mutating func readToolChoice() throws(ChatFault) {
        guard let choice = try self.body.take("tool_choice") else { return }
        if let word = choice.string {
            self.request.toolChoice = try Self.choice(word, at: "tool_choice")
            return
        }
        var members = try MemberReader(choice, at: "tool_choice")
        let type = try members.requiredString("type")
        switch type {
        case "function", "custom":
            var function = try members.reader(type) ?? members
            self.request.toolChoice = .tool(try function.requiredString("name"))
            self.request.remarks.approximate("tool_choice")
        case "allowed_tools":
            var allowed = try members.reader("allowed_tools") ?? members
            self.request.toolChoice = try Self.choice(try allowed.string("mode") ?? "auto", at: allowed.path("mode"))
            ToolReading.allow(
                try allowed.array("tools", atMost: ChatRequest.maximumTools) ?? [], in: &self.request)
        default: throw .unsupported("tool_choice", "nobody here runs a tool of the type \(ChatFault.quoted(type))")
        }
    }

    /// A choice in one word.
    static func choice(_ word: String, at path: String) throws(ChatFault) -> ChatToolChoice {
        switch word {
        case "auto": .automatic
        case "none": .none
        case "required", "any": .required
        default: throw .invalid(path, "'auto', 'none' or 'required' is expected")
        }
    }

    /// What tools were called before they were tools.
    private mutating func readFunctions() throws(ChatFault) {
        if let functions = try self.body.array("functions", atMost: ChatRequest.maximumTools) {
            for (index, function) in functions.enumerated() {
                var members = try MemberReader(function, at: "functions[\(index)]")
                self.request.tools.append(
                    try ToolReading.function(&members, schema: "parameters", remarks: &self.request.remarks))
            }
            self.request.remarks.approximate("functions")
            self.request.knowsOnlyFunctions = true
            self.request.allowsParallelCalls = false
        }
        guard let call = try self.body.take("function_call") else { return }
        self.request.remarks.approximate("function_call")
        if let word = call.string {
            self.request.toolChoice = try Self.choice(word, at: "function_call")
        } else {
            var members = try MemberReader(call, at: "function_call")
            self.request.toolChoice = .tool(try members.requiredString("name"))
        }
    }
}
