import BridgeCore
import BridgeLink
import NIOCore
import Testing

@Suite("Taking leave on a link", .timeLimit(.minutes(2))) struct LinkLeavingTests {
    /// The listener's side ends as a worker does: it takes leave, refuses what comes, and closes.
    private static func leave(_ world: World) {
        let link = world.accepted[0]
        world.onServed = { exchange, _ in exchange.end(header: JSONText(literal: #"{"refused":true}"#)) }
        world.listener?.close()
        link.takeLeave(within: .minutes(1)) { [weak world] in
            link.whenWritten(within: .minutes(1)) {
                link.close()
                world?.notes.append("left")
                world?.changed()
            }
        }
    }

    @Test(arguments: [0, 1_000, 200_000])
    func `what was opened before the peer knew is answered, and not lost`(octets: Int) async throws {
        try await LoopBench.with { bench in
            try await bench.until { $0.accepted.count == 1 && $0.timesConnected == 1 }
            try await bench.run { world in
                Self.leave(world)
                for number in 0..<50 {
                    world.open("\(number)", payload: octets == 0 ? nil : .jsonString(octets: octets, seed: number))
                }
            }
            try await bench.until { world in (0..<50).allSatisfy { world.talker("\($0)").isOver } }
            try await bench.until { $0.notes == ["left"] }
            try await bench.run { world in
                for number in 0..<50 {
                    #expect(world.talker("\(number)").failure == nil)
                    #expect(world.talker("\(number)").end?.header == #"{"refused":true}"#)
                }
            }
        }
    }

    @Test func `what is opened afterwards waits for the successor, and none of it leaves before`() async throws {
        try await LoopBench.with(listening: false) { bench in
            let socket = try RawSocket.listening(at: bench.folder.file("s"))
            try await bench.listen(socket.duplicate())
            try await bench.until { $0.accepted.count == 1 && $0.timesConnected == 1 }
            try await bench.run { world in
                world.dialer.onLost = { [weak world] in world?.notes.append("lost") }
                Self.leave(world)
            }
            // The peer has agreed before the link is lost; both happen on this loop.
            try await bench.until { $0.notes.contains("left") }
            try await bench.run { $0.open("late") }
            try await bench.run { world in
                #expect(world.served.isEmpty && !world.talker("late").isOver)
                world.onServed = { exchange, _ in exchange.end(header: .emptyObject) }
            }
            try await bench.listen(socket)
            try await bench.until { $0.talker("late").isOver }
            try await bench.run { #expect($0.talker("late").end?.header == "{}") }
        }
    }

    @Test func `a peer that does not answer is waited for no longer than the limit`() async throws {
        try await LoopBench.with(dialling: false) { bench in
            let raw = try RawSocket.connected(to: bench.folder.file("s"))
            raw.write(Self.frame(#"{"k":"hello","x":0,"h":{"link":"raw","bulk":false}}"#))
            try await bench.until { $0.accepted.count == 1 }
            try await bench.run { world in
                world.accepted[0].takeLeave(within: .milliseconds(20)) { [weak world] in
                    world?.notes.append("over")
                    world?.changed()
                }
            }
            try await bench.until { $0.notes == ["over"] }
            raw.close()
        }
    }

    @Test func `a peer that is gone has agreed`() async throws {
        try await LoopBench.with { bench in
            try await bench.until { $0.accepted.count == 1 && $0.timesConnected == 1 }
            try await bench.run { world in
                world.dialer.close()
                world.accepted[0].takeLeave(within: .minutes(1)) { [weak world] in
                    world?.notes.append("over")
                    world?.changed()
                }
            }
            try await bench.until { $0.notes == ["over"] }
        }
    }

    @Test func `whoever dials one that accepts no more is not greeted`() async throws {
        try await LoopBench.with(dialling: false) { bench in
            let raw = try RawSocket.connected(to: bench.folder.file("s"))
            try await bench.run { $0.listener?.close() }
            raw.write(Self.frame(#"{"k":"hello","x":0,"h":{"link":"raw","bulk":false}}"#))
            #expect(raw.readToEnd() == 0)
            try await bench.run { #expect($0.accepted.isEmpty) }
            raw.close()
        }
    }

    private static func frame(_ object: String) -> [UInt8] {
        let bytes = Array(object.utf8)
        return withUnsafeBytes(of: UInt32(bytes.count).bigEndian, Array.init) + bytes
    }
}
