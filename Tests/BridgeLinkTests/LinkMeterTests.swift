import BridgeCore
import BridgeLink
import NIOCore
import Testing

@Suite("Answers that wait to leave", .timeLimit(.minutes(2))) struct LinkMeterTests {
    /// A listener that counts up to 2 MiB, and notes what it is told of that.
    private func withMeter(_ body: (LoopBench) async throws -> Void) async throws {
        try await LoopBench.with { bench in
            try await bench.until { $0.accepted.count == 1 }
            try await bench.run { world in
                let meter = AnswerMeter(limit: 2 << 20, loop: world.loop)
                meter.onChange = { [weak world, unowned meter] isFull in
                    world?.notes.append("\(isFull ? "full" : "free") at \(meter.held >> 20)")
                    world?.changed()
                }
                world.accepted[0].meter = meter
            }
            try await body(bench)
        }
    }

    @Test func `are counted until they have left, and it is told when they are too many and when few enough again`()
        async throws
    {
        try await self.withMeter { bench in
            for name in ["a", "b", "c"] { try await bench.run { $0.open(name) } }
            try await bench.until { $0.served.count == 3 }
            try await bench.run { world in
                world.dialer.isReading = false
                for talker in world.served {
                    talker.exchange?.end(header: .emptyObject, payload: .jsonString(octets: 1 << 20))
                }
                #expect(world.accepted[0].meter?.held == 3 << 20 && world.accepted[0].meter?.isFull == true)
                #expect(world.notes.isEmpty, "in a later turn of the loop")
            }
            try await bench.until { !$0.notes.isEmpty }
            try await bench.run { world in
                #expect(world.notes == ["full at 3"])
                world.dialer.isReading = true
            }
            try await bench.until { world in ["a", "b", "c"].allSatisfy { world.talker($0).end != nil } }
            try await bench.until { $0.notes.count == 2 }
            try await bench.run { world in
                #expect(world.notes.last?.hasPrefix("free") == true)
                #expect(world.accepted[0].meter?.isFull == false)
            }
        }
    }

    @Test func `are not counted any more when their link is lost, and small ones never are`() async throws {
        try await self.withMeter { bench in
            for name in ["small", "large"] { try await bench.run { $0.open(name) } }
            try await bench.until { $0.served.count == 2 }
            let meter = try await bench.value { world in
                NIOLoopBound(world.accepted[0].meter, eventLoop: world.loop)
            }
            try await bench.run { world in
                world.dialer.isReading = false
                world.served[0].exchange?.end(header: .emptyObject, payload: .jsonString(octets: 1 << 10))
                #expect(meter.value?.held == 0)
                world.served[1].exchange?.end(header: .emptyObject, payload: .jsonString(octets: 3 << 20))
                #expect(meter.value?.held == 3 << 20)
            }
            try await bench.until { $0.notes == ["full at 3"] }
            try await bench.run { $0.accepted[0].close() }
            try await bench.until { $0.notes.last?.hasPrefix("free") == true }
            try await bench.run { _ in #expect(meter.value?.held == 0) }
        }
    }
}
