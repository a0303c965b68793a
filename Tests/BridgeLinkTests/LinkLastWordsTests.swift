import BridgeCore
import BridgeLink
import NIOCore
import Testing

@Suite("The last words on a link", .timeLimit(.minutes(2))) struct LinkLastWordsTests {
    private static let octets = 200_000
    private static let count = 40

    /// A peer that has opened exchanges and reads nothing; each has been ended with a payload, 8 MB in all.
    private func withDeafPeer(_ body: (LoopBench, RawSocket) async throws -> Void) async throws {
        try await LoopBench.with(dialling: false) { bench in
            let raw = try RawSocket.connected(to: bench.folder.file("s"))
            raw.write(Self.frame(#"{"k":"hello","x":0,"h":{"link":"raw","bulk":false}}"#))
            for number in 0..<Self.count { raw.write(Self.frame(#"{"k":"open","x":\#(2 * number + 1),"h":{}}"#)) }
            try await bench.until { $0.served.count == Self.count }
            try await bench.run { world in
                for talker in world.served {
                    talker.exchange?.end(header: .emptyObject, payload: .jsonString(octets: Self.octets))
                }
            }
            try await body(bench, raw)
        }
    }

    private static func frame(_ object: String) -> [UInt8] {
        let bytes = Array(object.utf8)
        return withUnsafeBytes(of: UInt32(bytes.count).bigEndian, Array.init) + bytes
    }

    @Test func `have left when the peer has read them, and not before`() async throws {
        try await self.withDeafPeer { bench, raw in
            try await bench.run { world in
                let link = world.accepted[0]
                link.whenWritten(within: .minutes(1)) { [weak world] in
                    world?.notes.append("written")
                    link.close()
                    world?.changed()
                }
            }
            // What a socket takes without a reader has been taken by now.
            try await bench.run { #expect($0.notes.isEmpty) }
            #expect(raw.readToEnd() > Self.octets * Self.count)
            try await bench.until { $0.notes == ["written"] }
            raw.close()
        }
    }

    @Test func `are waited for no longer than the limit`() async throws {
        try await self.withDeafPeer { bench, raw in
            try await bench.run { world in
                world.accepted[0].whenWritten(within: .milliseconds(20)) { [weak world] in
                    world?.notes.append("over")
                    world?.changed()
                }
            }
            try await bench.until { $0.notes == ["over"] }
            raw.close()
        }
    }

    @Test func `are over when the peer hangs up, and are told once`() async throws {
        try await self.withDeafPeer { bench, raw in
            try await bench.run { world in
                world.accepted[0].whenWritten(within: .minutes(1)) { [weak world] in
                    world?.notes.append("over")
                    world?.changed()
                }
            }
            raw.close()
            try await bench.until { $0.notes == ["over"] && $0.accepted.isEmpty }
        }
    }

    @Test func `include large payloads, and an end that waits for window`() async throws {
        try await LoopBench.with { bench in
            try await bench.run { world in
                world.open("large")
                world.open("windowed").automaticCredit = false
            }
            try await bench.until { $0.served.count == 2 }
            try await bench.run { world in
                world.server(0).exchange?.end(header: .emptyObject, payload: .jsonString(octets: 5 << 20))
                for _ in 0..<200 { world.server(1).exchange?.send(header: .emptyObject) }
                world.server(1).exchange?.end(header: .emptyObject)
                let link = world.accepted[0]
                link.whenWritten(within: .minutes(1)) { [weak world] in
                    world?.notes.append("written")
                    link.close()
                    world?.changed()
                }
            }
            try await bench.until { $0.talker("large").isOver && $0.talker("windowed").messages.count == 64 }
            try await bench.run { world in
                #expect(world.notes.isEmpty)
                world.talker("windowed").onMessage = { exchange, _, _ in exchange.acknowledge(octets: 0) }
                for _ in 0..<64 { world.talker("windowed").exchange?.acknowledge(octets: 0) }
            }
            try await bench.until { $0.talker("windowed").isOver && $0.notes == ["written"] }
            try await bench.run { world in
                #expect(world.talker("large").end != nil)
                #expect(world.talker("windowed").end != nil)
                #expect(world.talker("windowed").messages.count == 200)
            }
        }
    }

    @Test func `can be kept to one connection, however large`() async throws {
        try await LoopBench.with { bench in
            try await bench.run { world in world.open("a") }
            try await bench.until { $0.served.count == 1 }
            try await bench.run { world in
                world.listener?.close()
                world.accepted[0].keepToOneConnection()
                world.server(0).exchange?.end(header: .emptyObject, payload: .jsonString(octets: 5 << 20))
            }
            try await bench.until { $0.talker("a").isOver }
            try await bench.run { #expect($0.talker("a").end?.payload?.readableBytes == 5 << 20) }
        }
    }
}
