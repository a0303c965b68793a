import BridgeCore
import BridgeLink
import NIOCore
import Testing

@Suite("Slots of a link", .timeLimit(.minutes(2))) struct LinkSlotTests {
    private static let hello = Self.frame(#"{"k":"hello","x":0,"h":{"link":"raw","bulk":false}}"#)

    private static func frame(_ object: String) -> [UInt8] {
        let bytes = Array(object.utf8)
        return withUnsafeBytes(of: UInt32(bytes.count).bigEndian, Array.init) + bytes
    }

    /// The dialler's exchange in its first slot, by its count.
    private static func number(_ count: Int) -> Int { count << 14 | 1 }

    @Test func `keep an exchange from the late frames of the one before it`() async throws {
        try await LoopBench.with(dialling: false) { bench in
            let raw = try RawSocket.connected(to: bench.folder.file("s"))
            let (old, new) = (Self.number(1), Self.number(2))
            raw.write(
                Self.hello + Self.frame(#"{"k":"open","x":\#(old)}"#) + Self.frame(#"{"k":"end","x":\#(old)}"#)
                    + Self.frame(#"{"k":"open","x":\#(new)}"#))
            try await bench.until { $0.served.count == 2 }
            try await bench.run { world in
                for _ in 0..<64 { world.server(1).exchange?.send(header: .emptyObject) }
                #expect(world.server(1).exchange?.isWritable == false)
            }
            let late = [
                #"{"k":"message","x":\#(old),"m":1}"#, #"{"k":"credit","x":\#(old),"n":64,"o":1}"#,
                #"{"k":"message","x":\#(old),"b":5}"#, #"{"k":"end","x":\#(old),"m":1}"#,
                #"{"k":"cancel","x":\#(old)}"#,
                #"{"k":"end","x":\#(Self.number(3))}"#,
            ]
            raw.write(late.flatMap(Self.frame) + Self.frame(#"{"k":"message","x":\#(new),"m":2}"#))
            try await bench.until { $0.server(1).messages.count == 1 }
            try await bench.run { world in
                #expect(world.server(1).messages.map(\.payload) == [ByteBuffer(string: "2")])
                #expect(!world.server(1).isOver && world.server(1).exchange?.isWritable == false)
                #expect(world.server(0).end != nil && world.server(0).violations.isEmpty)
            }
            raw.close()
        }
    }

    @Test func `can have a successor before a large last message has arrived`() async throws {
        try await LoopBench.with(dialling: false) { bench in
            let (old, new) = (Self.number(1), Self.number(2))
            let raw = try RawSocket.connected(to: bench.folder.file("s"))
            raw.write(Self.hello)
            _ = try raw.readFrame()
            let bulk = try RawSocket.connected(to: bench.folder.file("s"))
            bulk.write(Self.frame(#"{"k":"hello","x":0,"h":{"link":"raw","bulk":true}}"#))
            raw.write(
                Self.frame(#"{"k":"open","x":\#(old)}"#) + Self.frame(#"{"k":"end","x":\#(old),"b":3}"#)
                    + Self.frame(#"{"k":"open","x":\#(new)}"#) + Self.frame(#"{"k":"end","x":\#(new),"m":2}"#))
            try await bench.until { $0.server(1).isOver }
            try await bench.run { world in
                #expect(!world.server(0).isOver && world.accepted[0].exchangeCount == 1)
            }
            bulk.write(Self.frame(#"{"k":"bulk","x":3,"m":1}"#))
            try await bench.until { $0.server(0).isOver }
            try await bench.run { world in
                #expect(world.server(0).end?.payload == ByteBuffer(string: "1"))
                #expect(world.server(1).end?.payload == ByteBuffer(string: "2"))
                #expect(world.accepted[0].exchangeCount == 0)
            }
            for socket in [bulk, raw] { socket.close() }
        }
    }

    @Test func `can have a successor before a large first message has arrived`() async throws {
        try await LoopBench.with(dialling: false) { bench in
            let (old, new) = (Self.number(1), Self.number(2))
            let raw = try RawSocket.connected(to: bench.folder.file("s"))
            raw.write(Self.hello)
            _ = try raw.readFrame()
            let bulk = try RawSocket.connected(to: bench.folder.file("s"))
            bulk.write(Self.frame(#"{"k":"hello","x":0,"h":{"link":"raw","bulk":true}}"#))
            raw.write(
                Self.frame(#"{"k":"open","x":\#(old),"b":3,"n":1,"o":1,"h":{"n":1}}"#)
                    + Self.frame(#"{"k":"message","x":\#(old),"m":5}"#) + Self.frame(#"{"k":"end","x":\#(old)}"#)
                    + Self.frame(#"{"k":"open","x":\#(new),"h":{"n":2}}"#))
            try await bench.until { $0.served.count == 1 }
            try await bench.run { #expect($0.server(0).exchange?.header.int("n") == 2) }
            bulk.write(Self.frame(#"{"k":"bulk","x":3,"m":1}"#))
            try await bench.until { $0.server(1).isOver }
            try await bench.run { world in
                #expect(world.server(1).exchange?.header.int("n") == 1)
                #expect(world.server(1).messages.count == 1 && world.server(1).end != nil)
                #expect(!world.server(0).isOver && world.accepted[0].exchangeCount == 1)
            }
            for socket in [bulk, raw] { socket.close() }
        }
    }

    static let misuses: [[String]] = [
        // A slot that is in use, a count that has been, and the same again.
        [#"{"k":"open","x":\#(number(1))}"#, #"{"k":"open","x":\#(number(2))}"#],
        [#"{"k":"open","x":\#(number(2))}"#, #"{"k":"end","x":\#(number(2))}"#, #"{"k":"open","x":\#(number(1))}"#],
        [#"{"k":"open","x":\#(number(1))}"#, #"{"k":"end","x":\#(number(1))}"#, #"{"k":"open","x":\#(number(1))}"#],
        [#"{"k":"open","x":0}"#],
    ]

    @Test(arguments: Self.misuses)
    func `cost a peer its link that misuses them`(frames: [String]) async throws {
        try await LoopBench.with(dialling: false) { bench in
            let raw = try RawSocket.connected(to: bench.folder.file("s"))
            raw.write(Self.hello + frames.flatMap(Self.frame))
            raw.readToEnd()
            raw.close()
            try await bench.until { $0.accepted.isEmpty }
        }
    }

    @Test func `carry an answer that is written straight into what leaves, small, large or behind others`() async throws
    {
        try await LoopBench.with { bench in
            let sizes = [2, 1_000, 16_383, 16_384, 300_000]
            try await bench.run { world in
                world.onServed = { exchange, _ in
                    let octets = exchange.header.int("octets") ?? 0
                    if exchange.header.bool("behind") == true {
                        for _ in 0..<80 { exchange.send(header: .emptyObject) }
                    }
                    exchange.end(header: exchange.header, octets: octets) { buffer in
                        buffer.writeImmutableBuffer(.jsonString(octets: octets, seed: octets))
                    }
                    #expect(exchange.isOver)
                }
                for octets in sizes {
                    world.open("\(octets)", #"{"octets":\#(octets)}"#)
                    world.open("behind \(octets)", #"{"octets":\#(octets),"behind":true}"#)
                }
                world.open("too large", #"{"octets":\#(Frame.maximumPayload + 1)}"#)
            }
            try await bench.until { $0.talkers.count == 11 && $0.talkers.values.allSatisfy(\.isOver) }
            try await bench.run { world in
                for octets in sizes {
                    #expect(world.talker("\(octets)").end?.payload == .jsonString(octets: octets, seed: octets))
                    #expect(world.talker("behind \(octets)").end?.payload == .jsonString(octets: octets, seed: octets))
                    #expect(world.talker("behind \(octets)").messages.count == 80)
                }
                #expect(world.talker("too large").failure == .cancelled(reason: ExchangeFailure.tooLarge))
                #expect(world.dialled?.exchangeCount == 0 && world.accepted[0].exchangeCount == 0)
            }
        }
    }
}
