import BridgeCore
import BridgeLink
import NIOCore
import Testing

@Suite("Room for what a link's peer wants to send", .timeLimit(.minutes(2))) struct LinkAdmissionTests {
    /// A listener with room for 30 MiB: 15 MiB for one caller at once, 10 MiB of small pieces.
    private func withGate(_ body: (LoopBench) async throws -> Void) async throws {
        try await LoopBench.with { bench in
            try await bench.until { $0.accepted.count == 1 }
            try await bench.run { world in
                let gate = PayloadGate(limit: 30 << 20, loop: world.loop)
                world.gate = gate
                world.accepted[0].admission = LinkAdmission(gate: gate) { $0.string("who") ?? "" }
            }
            try await body(bench)
        }
    }

    private static func header(_ caller: String) -> String { #"{"who":"\#(caller)"}"# }

    @Test func `what fits is sent, and counted until it has been let go`() async throws {
        try await self.withGate { bench in
            try await bench.run { $0.open("a", Self.header("a"), payload: .jsonString(octets: 12 << 20)) }
            try await bench.until { $0.served.count == 1 }
            try await bench.run { world in
                #expect(world.gate?.held == 12 << 20)
                let (bytes, hold) = world.served[0].exchange?.takePayload() ?? (nil, nil)
                #expect(bytes?.readableBytes == 12 << 20 && hold?.octets == 12 << 20)
                #expect(world.gate?.held == 12 << 20)
            }
            try await bench.run { #expect($0.gate?.held == 0) }
        }
    }

    @Test func `what does not fit waits at its sender, and another caller's goes past it`() async throws {
        try await self.withGate { bench in
            try await bench.run { world in
                for name in ["a1", "a2", "a3"] {
                    world.open(name, Self.header("a"), payload: .jsonString(octets: 8 << 20))
                }
                world.open("b", Self.header("b"), payload: .jsonString(octets: 6 << 20))
            }
            try await bench.until { $0.served.count == 2 }
            try await bench.run { world in
                #expect(Set(world.served.map { $0.exchange?.header.string("who") }) == ["a", "b"])
                #expect(world.gate?.held == 14 << 20)
                world.letGo(of: "a")
            }
            try await bench.until { $0.served.count == 3 }
            try await bench.run { $0.letGo(of: "a") }
            try await bench.until { $0.served.count == 4 }
        }
    }

    @Test func `what can never fit is refused, with a reason of its own, and costs the link nothing`() async throws {
        try await self.withGate { bench in
            try await bench.run { $0.open("a", Self.header("a"), payload: .jsonString(octets: 16 << 20)) }
            try await bench.until { $0.talker("a").isOver }
            try await bench.run { world in
                #expect(world.talker("a").failure == .cancelled(reason: ExchangeFailure.noMemory))
                #expect(world.served.isEmpty && world.gate?.held == 0 && world.timesLost == 0)
            }
        }
    }

    @Test func `one that travels in its frame is refused at once when there is no room`() async throws {
        try await self.withGate { bench in
            try await bench.run { world in
                for number in 0..<100 {
                    world.open("\(number)", Self.header("a"), payload: .jsonString(octets: 200 << 10))
                }
                world.open("small", Self.header("a"), payload: .jsonString(octets: 15 << 10))
            }
            try await bench.until { world in
                world.served.count + (0..<100).count { world.talker("\($0)").isOver } == 101
            }
            try await bench.run { world in
                let refused = (0..<100).filter { world.talker("\($0)").isOver }
                // A third of 30 MiB, in pieces of 200 KiB; and the small one besides, which has room of its own.
                #expect(refused.count == 49)
                #expect(
                    refused.allSatisfy {
                        world.talker("\($0)").failure == .cancelled(reason: ExchangeFailure.noMemory)
                    })
            }
        }
    }

    @Test func `who waits and is cancelled is never sent, and makes room for the next`() async throws {
        try await self.withGate { bench in
            try await bench.run { world in
                for name in ["a1", "a2", "a3"] {
                    world.open(name, Self.header("a"), payload: .jsonString(octets: name == "a2" ? 12 << 20 : 8 << 20))
                }
            }
            try await bench.until { $0.served.count == 1 }
            try await bench.run { world in
                world.talker("a2").exchange?.cancel(reason: "not wanted")
                _ = world.served[0].exchange?.takePayload()
            }
            try await bench.until { $0.served.count == 2 }
            try await bench.run { world in
                #expect(world.served[1].exchange?.payload?.readableBytes == 8 << 20)
                #expect(world.gate?.held == 8 << 20)
            }
        }
    }

    @Test func `a link that is lost leaves nothing counted and nobody waiting`() async throws {
        try await self.withGate { bench in
            try await bench.run { world in
                for name in ["a1", "a2"] {
                    world.open(name, Self.header("a"), payload: .jsonString(octets: 12 << 20))
                }
            }
            try await bench.until { $0.served.count == 1 }
            try await bench.run { world in
                _ = world.served[0].exchange?.takePayload()
                world.open("a3", Self.header("a"), payload: .jsonString(octets: 12 << 20))
                world.accepted[0].close()
            }
            try await bench.until { $0.talker("a2").isOver && $0.talker("a3").isOver }
            try await bench.run { #expect($0.gate?.held == 0) }
        }
    }
}

extension World {
    /// Takes the payload of the newest exchange of a caller, and lets go of it.
    fileprivate func letGo(of caller: String) {
        _ = self.served.last { $0.exchange?.header.string("who") == caller }?.exchange?.takePayload()
    }
}
