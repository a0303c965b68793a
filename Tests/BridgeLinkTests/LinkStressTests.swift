import BridgeCore
import BridgeLink
import BridgeTesting
import NIOCore
import Testing

@Suite("A link under fire", .timeLimit(.minutes(5))) struct LinkStressTests {
    /// What each exchange of the storm does at the listener's side.
    private static func serve(_ exchange: Exchange, _ talker: Talker, _ random: inout SeededRandom) {
        let payload = ByteBuffer.jsonString(octets: [2, 500, 70_000, 300_000].randomElement(using: &random) ?? 2)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: exchange.end(header: .emptyObject, payload: exchange.payload)
        case 1: exchange.cancel(reason: "no")
        case 2:
            for _ in 0..<80 { exchange.send(header: .emptyObject, payload: ByteBuffer(string: "1")) }
            exchange.end(header: .emptyObject, payload: payload)
        case 3:
            exchange.send(header: .emptyObject, payload: payload)
            exchange.end(header: .emptyObject)
        case 4:
            talker.onMessage = { exchange, header, payload in exchange.end(header: header, payload: payload) }
        default: break  // never answers; ended by a kill
        }
    }

    @Test(arguments: 1...12)
    func `tells every exchange its end exactly once, whoever is killed when`(seed: UInt64) async throws {
        try await LoopBench.with { bench in
            try await bench.run { world in
                var random = SeededRandom(seed: seed)
                world.onServed = { exchange, talker in Self.serve(exchange, talker, &random) }
            }
            var random = SeededRandom(seed: seed &* 7_919)
            for round in 0..<30 {
                let draw = random.next()
                try await bench.run { world in
                    var random = SeededRandom(seed: draw)
                    for number in 0..<Int.random(in: 1...40, using: &random) {
                        let octets = [0, 10, 100_000, 300_000].randomElement(using: &random) ?? 0
                        let exchange = world.open(
                            "\(round).\(number)", payload: octets == 0 ? nil : .jsonString(octets: octets, seed: number)
                        )
                        if Bool.random(using: &random) {
                            exchange.send(header: .emptyObject, payload: .jsonString(octets: max(2, octets)))
                        }
                    }
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: for link in world.accepted { link.close() }
                    case 1: world.dialled?.close()
                    default: break
                    }
                }
                // Lets the loop turn some more before the next blow.
                for _ in 0..<(draw % 23) { try await bench.run { _ in } }
            }
            try await bench.run { world in
                world.dialer.close()
                for link in world.accepted { link.close() }
            }
            try await bench.until { world in world.talkers.values.allSatisfy(\.isOver) }
            try await bench.run { world in
                for (name, talker) in world.talkers {
                    #expect(talker.violations.isEmpty, "\(name)")
                    #expect((talker.end != nil) != (talker.failure != nil), "\(name)")
                }
                for talker in world.served { #expect(talker.violations.isEmpty) }
            }
        }
    }
}
