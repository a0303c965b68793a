/// Puts the turns of a conversation together while it is read.
struct ChatTurns {
    private(set) var turns: [ChatTurn] = []
    private(set) var system: [String] = []
    /// Whether a call of a tool that comes alone belongs to the turn before.
    private var isAssistantOpen = false

    /// A system text: before everything else it is one of the request's, later it keeps its place.
    mutating func addSystem(_ texts: [String]) {
        let texts = texts.filter { !$0.isEmpty }
        if texts.isEmpty { return }
        if self.turns.isEmpty {
            self.system += texts
        } else {
            self.add(ChatTurn(.system, texts.map { .text($0) }))
        }
    }

    /// A turn of the assistant without anything in it is left out: clients write one when a call was cut short.
    mutating func add(_ turn: ChatTurn) {
        if turn.blocks.isEmpty, turn.role != .user { return }
        self.turns.append(turn)
        self.isAssistantOpen = turn.role == .assistant
    }

    /// A call that stands by itself, where a dialect writes each of them as an item of its own.
    mutating func addCall(_ call: ChatToolUse) {
        if self.isAssistantOpen {
            self.turns[self.turns.count - 1].blocks.append(.toolUse(call))
        } else {
            self.add(ChatTurn(.assistant, [.toolUse(call)]))
        }
    }

    /// A result that stands by itself. All results for one turn of the assistant come together.
    mutating func addResult(_ result: ChatToolResult) {
        if let last = self.turns.last, last.role == .user, last.holdsOnlyResults {
            self.turns[self.turns.count - 1].blocks.append(.toolResult(result))
        } else {
            self.add(ChatTurn(.user, [.toolResult(result)]))
        }
    }
}
