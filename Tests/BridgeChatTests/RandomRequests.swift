import BridgeCore
import BridgeTesting
import NIOCore

@testable import BridgeChat

/// Requests and answers of every shape, the same in every run.
struct RandomChats {
    var random: SeededRandom

    init(seed: UInt64) { self.random = SeededRandom(seed: seed) }

    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self.random) }
    mutating func chance(_ odds: Int) -> Bool { self.below(odds) == 0 }

    mutating func text() -> String {
        let alphabet: [Character] = ["a", "b", " ", "\n", "\"", "\\", "é", "你", "👩‍👧", "\u{0}", "\u{1f}", "/", "{", "<"]
        return String((0..<1 + self.below(12)).map { _ in alphabet[self.below(alphabet.count)] })
    }

    mutating func name() -> String { "tool_\(self.below(5))" }

    mutating func object() -> JSONText {
        let text = self.text()
        let number = self.below(100)
        return JSONWriter.object { object in
            if number > 20 { object.member("text", text) }
            if number > 50 { object.memberArray("list") { $0.element(number) } }
        }
    }

    mutating func media() -> ChatMedia {
        self.chance(2) ? Samples.media() : Samples.media(Samples.jpeg, "image/jpeg")
    }

    mutating func content() -> ChatContent { self.chance(4) ? .image(self.media()) : .text(self.text()) }

    /// A conversation in which every call is answered in the next turn, as all dialects can write it.
    mutating func turns() -> [ChatTurn] {
        var turns: [ChatTurn] = [.user(self.text())]
        var calls = 0
        for _ in 0..<self.below(8) {
            switch self.below(4) {
            case 0: turns.append(ChatTurn(.user, (0...self.below(3)).map { _ in .content(self.content()) }))
            case 1: turns.append(.assistant(self.text()))
            case 2: turns.append(ChatTurn(.system, [.text(self.text())]))
            default:
                var blocks: [ChatBlock] = self.chance(2) ? [.text(self.text())] : []
                var results: [ChatBlock] = []
                for _ in 0...self.below(3) {
                    calls += 1
                    blocks.append(.toolUse(.init(id: "call_\(calls)", name: self.name(), input: self.object())))
                    let content = (0..<1 + self.below(2)).map { _ in self.content() }
                    results.append(.toolResult(.init(id: "call_\(calls)", content: content)))
                }
                turns += [ChatTurn(.assistant, blocks), ChatTurn(.user, results)]
            }
        }
        return turns
    }

    mutating func request() -> ChatRequest {
        var request = ChatRequest(model: self.text())
        if self.chance(2) { request.system = [self.text()] }
        request.turns = self.turns()
        for number in 0..<self.below(4) {
            request.tools.append(
                ChatTool(
                    name: "tool_\(number)", description: self.chance(2) ? self.text() : nil,
                    inputSchema: self.chance(2)
                        ? ChatTool.emptySchema : JSONText(literal: #"{"type":"object","x":[1,{}]}"#)))
        }
        if let first = request.tools.first {
            request.toolChoice = [.automatic, .none, .required, .tool(first.name)][self.below(4)]
        }
        if self.chance(3) { request.maximumTokens = 1 + self.below(1_000) }
        if self.chance(3) { request.temperature = Double(self.below(21)) / 10 }
        if self.chance(3) { request.stopSequences = (0...self.below(3)).map { _ in self.text() } }
        request.isStreamed = self.chance(2)
        if self.chance(3) { request.user = self.text() }
        return request
    }

    mutating func answer() -> ChatAnswer {
        var blocks: [ChatAnswer.Block] = self.chance(3) ? [] : [.text(self.text())]
        for number in 0..<self.below(3) {
            blocks.append(.toolUse(.init(id: "c\(number)", name: self.name(), input: self.object())))
        }
        let stops: [ChatAnswer.Stop] = [.endTurn, .maximumTokens, .contentFilter]
        let hasCalls = blocks.contains { if case .toolUse = $0 { true } else { false } }
        return ChatAnswer(
            model: self.text(), blocks: blocks, stop: hasCalls ? .toolUse : stops[self.below(3)],
            usage: ChatUsage(input: self.below(99), output: self.below(99), isEstimate: false))
    }

    /// A message, or an item, as some dialect writes it, or nearly.
    mutating func nearlyMessage() -> String {
        if self.chance(12) { return self.anything(2) }
        let id = "\"c\(self.below(3))\""
        switch self.below(7) {
        case 0:
            return
                #"{"type":"function_call","role":"assistant","content":"","call_id":\#(id),"name":"f","arguments":"{}"}"#
        case 1:
            return
                #"{"type":"function_call_output","role":"tool","tool_call_id":\#(id),"call_id":\#(id),"output":"r","content":"r"}"#
        case 2:
            let calls = (0...self.below(3)).map { _ in
                #"{"id":"c\#(self.below(3))","function":{"name":"f","arguments":"{"}}"#
            }
            return #"{"role":"assistant","content":null,"tool_calls":[\#(calls.joined(separator: ","))]}"#
        case 3: return #"{"role":"tool","tool_call_id":\#(id),"content":[{"type":"text","text":"r"}]}"#
        default:
            let role = ["user", "assistant", "system"][self.below(3)]
            let blocks = (0..<self.below(4)).map { _ in self.nearlyBlock(role) }
            return #"{"role":"\#(role)","content":[\#(blocks.joined(separator: ","))]}"#
        }
    }

    private mutating func nearlyBlock(_ role: String) -> String {
        let id = "\"c\(self.below(3))\""
        switch self.below(20) {
        case 0: return self.anything(3)
        case 1, 2, 3: return MediaRowsTests.image(ChatDialect.allCases[self.below(3)])
        case 4...10 where role == "assistant": return #"{"type":"tool_use","id":\#(id),"name":"f","input":{}}"#
        case 4...10 where role == "user": return #"{"type":"tool_result","tool_use_id":\#(id),"content":"r"}"#
        default: return #"{"type":"text","text":"t"}"#
        }
    }

    /// JSON of any kind, made of the words that dialects know.
    mutating func anything(_ depth: Int = 0) -> String {
        let words = [
            "model", "messages", "input", "role", "user", "assistant", "tool", "system", "content", "type", "text",
            "tool_calls", "function", "name", "arguments", "id", "tool_use", "tool_result", "tool_use_id", "image_url",
            "url", "data:image/png;base64,AAAA", "source", "base64", "data", "media_type", "tools", "tool_choice",
            "input_schema", "parameters", "function_call", "call_id", "output", "stop", "max_tokens", "temperature",
            "stream", "stream_options", "response_format", "json_schema", "schema", "toolUseId", "hints", "image",
            "document", "functions", "allowed_tools", "custom", "mimeType", "instructions", "metadata", "input_text",
        ]
        switch self.below(depth > 5 ? 6 : 10) {
        case 0: return "null"
        case 1: return "\(self.below(3) - 1)"
        case 2: return self.chance(2) ? "true" : "false"
        case 3: return self.chance(2) ? "1e999" : "0.5"
        case 4, 5: return "\"\(words[self.below(words.count)])\""
        case 6, 7: return "[" + (0..<self.below(4)).map { _ in self.anything(depth + 1) }.joined(separator: ",") + "]"
        default:
            let members = (0..<self.below(7)).map { _ in
                "\"\(words[self.below(words.count)])\":\(self.anything(depth + 1))"
            }
            return "{" + members.joined(separator: ",") + "}"
        }
    }
}
