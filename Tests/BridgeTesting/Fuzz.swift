/// Cases for tests of properties, each from a seed of its own, so that one that fails can be repeated alone.
package enum Fuzz {
    /// - Parameter body: gets the case's own random numbers, and its name, which belongs into what the test says of a failure.
    package static func cases(
        _ count: Int, seed: UInt64, _ body: (inout SeededRandom, _ name: String) throws -> Void
    ) rethrows {
        for number in 0..<count {
            let own = seed &* 1_000_003 &+ UInt64(number)
            var random = SeededRandom(seed: own)
            try body(&random, "SeededRandom(seed: \(own))")
        }
    }

    /// A text of so many pieces.
    package static func text(
        of pieces: [String], _ range: ClosedRange<Int>, _ random: inout SeededRandom
    ) -> String {
        (0..<Int.random(in: range, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
    }
}
