/// How far two spellings are apart: insertions, deletions, replacements and swaps of neighbours, case ignored.
enum EditDistance {
    static func between(_ first: String, _ second: String) -> Int {
        let first = Array(first.lowercased())
        let second = Array(second.lowercased())
        var beforePrevious: [Int] = []
        var previous = Array(0...second.count)
        for (row, character) in first.enumerated() {
            var current = [row + 1]
            for (column, other) in second.enumerated() {
                var cost = min(previous[column + 1] + 1, current[column] + 1)
                cost = min(cost, previous[column] + (character == other ? 0 : 1))
                if row > 0, column > 0, character == second[column - 1], first[row - 1] == other {
                    cost = min(cost, beforePrevious[column - 1] + 1)
                }
                current.append(cost)
            }
            (beforePrevious, previous) = (previous, current)
        }
        return previous[second.count]
    }

    /// The candidate nearest to `word`, the first of several; `nil` only without candidates.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        candidates.map { ($0, self.between(word, $0)) }.min { $0.1 < $1.1 }?.0
    }
}
