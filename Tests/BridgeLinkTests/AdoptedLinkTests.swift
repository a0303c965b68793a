import BridgeCore
import BridgeLink
import Foundation
import Glibc
import NIOCore
import Testing

@Suite("A link over a socket pair", .timeLimit(.minutes(2))) struct AdoptedLinkTests {
    private func withPair(_ body: (LoopBench) async throws -> Void) async throws {
        try await LoopBench.with(listening: false, dialling: false) { bench in
            let pair = try RawSocket.pair()
            for (name, socket) in [("first", pair.0), ("second", pair.1)] {
                try await bench.flatRun { world in
                    LinkConnection.adopt(descriptor: socket.descriptor, first: name == "first", on: world.loop) {
                        world.links[name] = $0
                        $0.onOpen = { [weak world] in world?.serve($0) }
                        $0.onClose = { [weak world] in
                            world?.notes.append("\(name) closed")
                            world?.changed()
                        }
                    }
                }
            }
            try await body(bench)
        }
    }

    private static func open(_ world: World, _ name: String, on link: String, payload: ByteBuffer?) {
        let talker = world.talker()
        world.talkers[name] = talker
        if let exchange = world.links[link]?.open(header: .emptyObject, payload: payload, delegate: talker) {
            talker.takes(exchange)
        }
    }

    @Test(arguments: [0, 100, 1 << 20, 20 << 20])
    func `carries payloads of any size both ways`(octets: Int) async throws {
        try await self.withPair { bench in
            let payload = octets == 0 ? nil : ByteBuffer.jsonString(octets: octets, seed: octets)
            try await bench.run { world in
                world.onServed = { exchange, _ in exchange.end(header: .emptyObject, payload: exchange.payload) }
                Self.open(world, "forth", on: "first", payload: payload)
                Self.open(world, "back", on: "second", payload: payload)
            }
            try await bench.until { $0.talker("forth").isOver && $0.talker("back").isOver }
            try await bench.run { world in
                #expect(world.talker("forth").end?.payload == payload)
                #expect(world.talker("back").end?.payload == payload)
            }
        }
    }

    @Test func `carries what is opened in the very moment that it is established`() async throws {
        try await LoopBench.with(listening: false, dialling: false) { bench in
            let pair = try RawSocket.pair()
            try await bench.flatRun { world in
                LinkConnection.adopt(descriptor: pair.0.descriptor, first: true, on: world.loop) {
                    world.links["first"] = $0
                    Self.open(world, "early", on: "first", payload: ByteBuffer(string: "1"))
                }
            }
            try await bench.flatRun { world in
                LinkConnection.adopt(descriptor: pair.1.descriptor, first: false, on: world.loop) {
                    world.links["second"] = $0
                    $0.onOpen = { $0.end(header: .emptyObject, payload: $0.payload) }
                }
            }
            try await bench.until { $0.talker("early").isOver }
            try await bench.run { #expect($0.talker("early").end?.payload == ByteBuffer(string: "1")) }
        }
    }

    @Test func `owns what it is given also where no link can be made of it`() async throws {
        try await LoopBench.with(listening: false, dialling: false) { bench in
            let path = NSTemporaryDirectory() + "no-socket-\(UUID().uuidString)"
            let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            try #require(descriptor >= 0)
            defer { unlink(path) }
            var before = stat()
            fstat(descriptor, &before)
            await #expect(throws: (any Error).self) {
                try await bench.flatRun { world in
                    LinkListener.listen(descriptor: descriptor, on: world.loop) { _ in }.map { _ in }
                }
            }
            // The number may be somebody else's by now; the file is nobody's.
            var after = stat()
            #expect(fstat(descriptor, &after) != 0 || after.st_ino != before.st_ino)
            await #expect(throws: (any Error).self) {
                try await bench.flatRun { LinkConnection.adopt(descriptor: -1, first: true, on: $0.loop) { _ in } }
            }
        }
    }

    @Test func `tells both ends when one closes it`() async throws {
        try await self.withPair { bench in
            try await bench.run { Self.open($0, "a", on: "first", payload: nil) }
            try await bench.until { $0.served.count == 1 }
            try await bench.run { $0.links["second"]?.close() }
            try await bench.until { $0.notes.count == 2 }
            try await bench.run { world in
                #expect(Set(world.notes) == ["first closed", "second closed"])
                #expect(world.talker("a").failure == .linkLost(sent: true))
                #expect(world.server(0).failure == .linkLost(sent: true))
                Self.open(world, "late", on: "first", payload: nil)
                #expect(!world.talker("late").isOver)
            }
            try await bench.until { $0.talker("late").isOver }
            try await bench.run { #expect($0.talker("late").failure == .linkLost(sent: false)) }
        }
    }
}
