/// The results of tools in a conversation, each of which answers one call at most.
struct ResultShelf {
    struct Place: Hashable {
        let turn: Int
        let block: Int
    }

    /// By the id of the call, in their order, the first that is left last.
    private var results: [String: [(place: Place, result: ChatToolResult)]] = [:]
    private var taken: Set<Place> = []

    init(_ turns: [ChatTurn]) {
        for (index, turn) in turns.enumerated().reversed() {
            for (position, block) in turn.blocks.enumerated().reversed() {
                guard case .toolResult(let result) = block else { continue }
                self.results[result.id, default: []].append((Place(turn: index, block: position), result))
            }
        }
    }

    /// The first result for a call that comes after its turn and that no other call has.
    mutating func take(for id: String, after turn: Int) -> ChatToolResult? {
        while let next = self.results[id]?.last {
            guard next.place.turn > turn else {
                // It came before what it answers, and never will be one.
                self.results[id]?.removeLast()
                continue
            }
            self.results[id]?.removeLast()
            self.taken.insert(next.place)
            return next.result
        }
        return nil
    }

    func isTaken(_ place: Place) -> Bool { self.taken.contains(place) }
}
