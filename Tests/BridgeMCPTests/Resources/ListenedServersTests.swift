import BridgeMCP
import BridgeTesting
import Testing

@Suite("Servers that somebody listens to") struct ListenedServersTests {
    /// The oracle: who listens to what, in full.
    @Test(arguments: 0..<8)
    func `the first who listens and the last make a difference, and nobody else`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var servers = ListenedServers()
        var known: [UInt64: Set<String>] = [:]
        let names = ["a", "b", "c", "d"]
        for step in 0..<2_000 {
            let session = UInt64.random(in: 0..<6, using: &random)
            let wanted = Set(names.filter { _ in Bool.random(using: &random) && Bool.random(using: &random) })
            let before = Set(known.values.joined())
            known[session] = wanted
            let after = Set(known.values.joined())
            #expect(
                servers.set(wanted, by: session) == before.symmetricDifference(after), "seed \(seed), step \(step)")
            for name in names {
                #expect(servers.isListened(to: name) == after.contains(name), "seed \(seed), step \(step)")
            }
        }
    }
}
