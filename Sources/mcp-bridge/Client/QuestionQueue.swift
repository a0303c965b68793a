import BridgeCore
import BridgeMCP

/// Questions for one person: put one after the other, as they came.
struct QuestionQueue {
    private var waiting: [(id: RPCID, params: JSONText)] = []
    private(set) var current: (id: RPCID, dialogue: ElicitationDialogue)?
    /// Pages that were agreed to, by the server's own id for them.
    private var pages: Set<String> = []

    /// Nobody answers more than that.
    static let limit = 64

    /// - Returns: false when there are too many.
    mutating func add(_ id: RPCID, _ params: JSONText) -> Bool {
        guard self.waiting.count < Self.limit else { return false }
        self.waiting.append((id, params))
        return true
    }

    /// - Returns: whether it is the one that is being put.
    mutating func withdraw(_ id: RPCID) -> Bool {
        self.waiting.removeAll { $0.id == id }
        guard self.current?.id == id else { return false }
        self.current = nil
        return true
    }

    /// Goes on to the next one, when none is being put.
    mutating func next() -> (id: RPCID, params: JSONText)? {
        self.current == nil && !self.waiting.isEmpty ? self.waiting.removeFirst() : nil
    }

    mutating func begin(_ id: RPCID, _ dialogue: ElicitationDialogue) -> ElicitationDialogue.Step {
        var dialogue = dialogue
        let step = dialogue.begin()
        self.current = (id, dialogue)
        return step
    }

    mutating func line(_ line: String) -> ElicitationDialogue.Step? { self.current?.dialogue.line(line) }
    mutating func closed() -> ElicitationDialogue.Step? { self.current?.dialogue.closed() }

    /// The one that was put has its answer.
    mutating func finish() { self.current = nil }

    mutating func agreed(to page: String) { self.pages.insert(page) }
    /// - Returns: whether somebody has agreed to open it.
    mutating func pageDone(_ page: String) -> Bool { self.pages.remove(page) != nil }
}
