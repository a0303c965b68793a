package import BridgeCore

/// What a client asks of a model, in no dialect.
package struct ChatRequest: Sendable, Hashable {
    /// As it was written; empty when the client left the choice open.
    package var model: String
    /// System texts that come before everything else, in their order.
    package var system: [String] = []
    package var turns: [ChatTurn] = []
    package var tools: [ChatTool] = []
    package var toolChoice = ChatToolChoice.automatic
    /// The client knows functions and no tools (chat completions of old): a call is told as one.
    package var knowsOnlyFunctions = false
    /// Whether one answer may hold several calls.
    package var allowsParallelCalls = true
    /// Positive.
    package var maximumTokens: Int?
    /// From 0 to 2, as it was given: no dialect's scale is turned into another's.
    package var temperature: Double?
    package var stopSequences: [String] = []
    package var format = AnswerFormat.text
    package var isStreamed = false
    /// Whether a stream of chat chunks ends with one that tells the usage.
    package var wantsUsage = false
    /// Who asks, in the client's own words. For the audit row; nobody acts on it.
    package var user: String?
    /// Members that sampling has no place for, as they were written. A provider that speaks the same dialect may have one.
    package var extras: [ChatExtra] = []
    package var remarks = ChatRemarks()
    /// What ``TokenEstimate`` said of it before its turns were let go of.
    var countedInput: Int?

    package init(model: String) { self.model = model }

    /// In bytes of a model's name.
    package static let maximumModel = 256
    package static let maximumTurns = 100_000
    package static let maximumTools = 4_096
    package static let maximumStopSequences = 64
    /// In bytes.
    package static let maximumStopSequence = 1_024
}

/// A member of a request that is carried and not understood.
package struct ChatExtra: Sendable, Hashable {
    package let name: String
    package let value: JSONText

    package init(name: String, value: JSONText) {
        self.name = name
        self.value = value
    }
}

extension ChatRequest {
    /// What a model is called that the client has not named.
    package static let unnamedModel = "mcp-external-sampling"

    /// Whether the client leaves the choice of the model to us.
    package var leavesModelOpen: Bool {
        self.model.isEmpty || self.model == "auto" || self.model == Self.unnamedModel
    }

    /// The model's name as answers have it.
    package var modelName: String { self.leavesModelOpen ? Self.unnamedModel : self.model }

    /// Tools that the model may call now.
    package var callableTools: [ChatTool] { self.toolChoice == .none ? [] : self.tools }
}
