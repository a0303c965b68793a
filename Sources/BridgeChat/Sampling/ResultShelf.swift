/// The results of tools in a conversation, each of which answers one call at most.
struct ResultShelf {
    struct Place: Hashable {
        let turn: Int
        let block: Int
    }

    /// By the id of the call, the first that is left last.
    private var results: [String: [(place: Place, result: ChatToolResult)]] = [:]
    /// The turns that call, by the id of the call, the first that is left last.
    private var calls: [String: [Int]] = [:]
    private var taken: Set<Place> = []

    init(_ turns: [ChatTurn]) {
        for (index, turn) in turns.enumerated().reversed() {
            for (position, block) in turn.blocks.enumerated().reversed() {
                switch block {
                case .content: break
                case .toolUse(let use): self.calls[use.id, default: []].append(index)
                case .toolResult(let result):
                    self.results[result.id, default: []].append((Place(turn: index, block: position), result))
                }
            }
        }
    }

    /// The first result for a call that comes after its turn, before the next turn with a call of the same id, and that no
    /// other call has. Turns are asked for in their order.
    mutating func take(for id: String, after turn: Int) -> ChatToolResult? {
        while let called = self.calls[id]?.last, called <= turn { self.calls[id]?.removeLast() }
        // What came before the call that it could answer never will be a result.
        while let next = self.results[id]?.last, next.place.turn <= turn { self.results[id]?.removeLast() }
        guard let next = self.results[id]?.last else { return nil }
        if let called = self.calls[id]?.last, called < next.place.turn { return nil }
        self.results[id]?.removeLast()
        self.taken.insert(next.place)
        return next.result
    }

    func isTaken(_ place: Place) -> Bool { self.taken.contains(place) }
}
