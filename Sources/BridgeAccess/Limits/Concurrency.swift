/// How many things each of several has under way at once.
package struct Concurrency<Key: Hashable & Sendable>: Sendable {
    private var counts: [Key: Int] = [:]

    package init() {}

    /// One more begins, unless that would be more than `most`.
    package mutating func begin(_ key: Key, most: Int) -> Bool {
        let count = self.counts[key] ?? 0
        guard count < most else { return false }
        self.counts[key] = count + 1
        return true
    }

    /// One that began is over.
    package mutating func end(_ key: Key) {
        guard let count = self.counts[key] else { return }
        self.counts[key] = count > 1 ? count - 1 : nil
    }

    package func count(of key: Key) -> Int { self.counts[key] ?? 0 }
}
