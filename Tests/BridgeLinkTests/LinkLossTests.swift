import BridgeCore
import BridgeLink
import NIOCore
import Testing

/// A dialler's link whose other end is played by hand.
@Suite("A link that is lost", .timeLimit(.minutes(2))) struct LinkLossTests {
    private static func frame(_ object: String, _ payload: ByteBuffer? = nil) -> [UInt8] {
        let end = payload.map { #","m":"# + String(buffer: $0) + "}" } ?? ""
        let bytes = Array(object.utf8.dropLast(payload == nil ? 0 : 1)) + Array(end.utf8)
        return withUnsafeBytes(of: UInt32(bytes.count).bigEndian, Array.init) + bytes
    }

    private static func number(of frame: [UInt8]) throws -> UInt64 {
        try Frame(parsing: ByteBuffer(bytes: frame.dropFirst(4))).exchange
    }

    /// - Parameter body: given the listening socket and the link's main connection, greeted.
    private func withPeer(_ body: (LoopBench, RawSocket, RawSocket) async throws -> Void) async throws {
        try await LoopBench.with(listening: false) { bench in
            let listening = try RawSocket.listening(at: bench.folder.file("s"))
            let main = try listening.accept()
            main.write(try main.readFrame())
            try await bench.until { $0.dialled != nil }
            try await body(bench, listening, main)
            listening.close()
        }
    }

    /// One bulk connection of the link.
    private func bulk(_ listening: RawSocket, _ main: RawSocket) throws -> RawSocket {
        main.write(Self.frame(#"{"k":"want","x":0}"#))
        let bulk = try listening.accept()
        _ = try bulk.readFrame()
        return bulk
    }

    @Test func `has delivered a large answer that was still on its way when the main connection ended`() async throws {
        try await self.withPeer { bench, listening, main in
            try await bench.run { $0.open("a") }
            let number = try Self.number(of: main.readFrame())
            let bulk = try self.bulk(listening, main)
            // More than a socket holds: the main connection is gone before the payload can have been read.
            let payload = ByteBuffer.jsonString(octets: 4 << 20)
            main.write(Self.frame(#"{"k":"end","x":\#(number),"b":9,"h":{"st":200}}"#))
            main.close()
            bulk.write(Self.frame(#"{"k":"bulk","x":9}"#, payload))
            bulk.close()
            try await bench.until { $0.talker("a").isOver && $0.timesLost == 1 }
            try await bench.run { world in
                #expect(world.talker("a").end == Talker.Heard(header: #"{"st":200}"#, payload: payload))
                #expect(world.talker("a").violations.isEmpty)
            }
        }
    }

    @Test func `has delivered what came on the main connection after a bulk connection ended`() async throws {
        try await self.withPeer { bench, listening, main in
            try await bench.run { world in for name in ["a", "b"] { world.open(name) } }
            let numbers = try (0..<2).map { _ in try Self.number(of: main.readFrame()) }
            try self.bulk(listening, main).close()
            // The dialler has seen it: it sends nothing more, and says so.
            main.readToEnd()
            try await bench.run { world in
                #expect(!world.dialer.isConnected && world.timesLost == 0)
                world.open("later")
            }
            main.write(Self.frame(#"{"k":"message","x":\#(numbers[0]),"m":1}"#))
            main.write(Self.frame(#"{"k":"end","x":\#(numbers[0]),"m":2}"#))
            // Nobody waits for its answer.
            main.write(Self.frame(#"{"k":"open","x":16384}"#))
            main.close()
            try await bench.until { $0.timesLost == 1 }
            try await bench.run { world in
                #expect(world.talker("a").messages.map(\.payload) == [ByteBuffer(string: "1")])
                #expect(world.talker("a").end?.payload == ByteBuffer(string: "2"))
                #expect(world.talker("b").failure == .linkLost(sent: true))
                #expect(!world.talker("later").isOver)
            }
            // What was opened meanwhile goes to the next one.
            let next = try listening.accept()
            next.write(try next.readFrame())
            _ = try Self.number(of: next.readFrame())
            next.close()
        }
    }

    @Test func `is told after a while where the peer does not hang up`() async throws {
        try await self.withPeer { bench, listening, main in
            try await bench.run { $0.open("a") }
            _ = try main.readFrame()
            try self.bulk(listening, main).close()
            try await bench.until { $0.timesLost == 1 }
            try await bench.run { #expect($0.talker("a").failure == .linkLost(sent: true)) }
            main.close()
        }
    }

    @Test func `had not sent a large request that was announced and never asked for: the caller has it back`()
        async throws
    {
        try await self.withPeer { bench, _, main in
            let payload = ByteBuffer.jsonString(octets: 8 << 20)
            try await bench.run { world in
                let waiter = Waiter { [weak world] exchange, failure in
                    let octets = exchange.takePayload().bytes?.readableBytes ?? 0
                    world?.notes.append("\(failure) \(octets == payload.readableBytes)")
                    world?.changed()
                }
                _ = world.dialer.open(header: .emptyObject, payload: payload, delegate: waiter)
                world.open("small", payload: ByteBuffer(string: "1"))
            }
            let announced = try Frame(parsing: ByteBuffer(bytes: main.readFrame().dropFirst(4)))
            #expect(announced.bulk != nil && announced.messages == 0 && announced.octets == payload.readableBytes)
            main.close()
            try await bench.until { $0.timesLost == 1 }
            try await bench.run { world in
                #expect(world.notes == ["\(ExchangeFailure.linkLost(sent: false)) true"])
                #expect(world.talker("small").failure == .linkLost(sent: true))
            }
        }
    }

    @Test func `may have sent a large request that was asked for`() async throws {
        try await self.withPeer { bench, listening, main in
            try await bench.run { $0.open("a", payload: .jsonString(octets: 8 << 20)) }
            let announced = try Frame(parsing: ByteBuffer(bytes: main.readFrame().dropFirst(4)))
            main.write(Self.frame(#"{"k":"grant","x":0,"b":\#(announced.bulk ?? 0)}"#))
            let bulk = try listening.accept()
            _ = try bulk.readFrame()
            for socket in [bulk, main] { socket.close() }
            try await bench.until { $0.timesLost == 1 }
            try await bench.run { #expect($0.talker("a").failure == .linkLost(sent: true)) }
        }
    }
}

/// Hears of one failure.
private final class Waiter: ExchangeDelegate {
    private let onFailure: (Exchange, ExchangeFailure) -> Void

    init(_ onFailure: @escaping (Exchange, ExchangeFailure) -> Void) { self.onFailure = onFailure }

    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {}
    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) {}
    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) { self.onFailure(exchange, failure) }
}
