import BridgeCore
import BridgeLink
import NIOCore
import Testing

@Suite("Large payloads on a link", .timeLimit(.minutes(3))) struct LinkBulkTests {
    private static let threshold = Frame.bulkThreshold

    @Test(arguments: [threshold - 1, threshold, threshold + 1, 1 << 20, 5 << 20])
    func `arrive whole there and back, opening, as message and at the end`(octets: Int) async throws {
        try await LoopBench.with { bench in
            let payload = ByteBuffer.jsonString(octets: octets, seed: octets)
            try await bench.run { world in
                world.onServed = { exchange, talker in
                    exchange.send(header: .emptyObject, payload: exchange.payload)
                    talker.onMessage = { exchange, _, payload in exchange.end(header: .emptyObject, payload: payload) }
                }
                world.open("a", payload: payload).send(header: .emptyObject, payload: payload)
            }
            try await bench.until { $0.talker("a").isOver }
            try await bench.run { world in
                #expect(world.server(0).exchange?.payload == payload)
                #expect(world.talker("a").messages.map(\.payload) == [payload])
                #expect(world.talker("a").end?.payload == payload)
            }
        }
    }

    @Test func `stay in order with the small ones of their exchange, both ways at once`() async throws {
        try await LoopBench.with { bench in
            let sizes = (0..<60).map { [10, 300_000, 5, 2_000_000, 262_145, 40_000][$0 % 6] + $0 }
            let payloads = sizes.enumerated().map { ByteBuffer.jsonString(octets: $1, seed: $0) }
            try await bench.run { world in
                world.onServed = { exchange, _ in
                    for payload in payloads { exchange.send(header: .emptyObject, payload: payload) }
                    exchange.send(header: .emptyObject)
                }
                for name in ["a", "b", "c"] {
                    let exchange = world.open(name)
                    for payload in payloads { exchange.send(header: .emptyObject, payload: payload) }
                }
            }
            try await bench.until { world in
                world.talkers.values.allSatisfy { $0.messages.count == 61 } && world.served.count == 3
                    && world.served.allSatisfy { $0.messages.count == 60 }
            }
            try await bench.run { world in
                for talker in world.served { #expect(talker.messages.map(\.payload) == payloads) }
                for talker in world.talkers.values { #expect(talker.messages.map(\.payload) == payloads + [nil]) }
                #expect(world.timesLost == 0)
            }
        }
    }

    @Test func `of 64 MiB delay nobody else`() async throws {
        try await LoopBench.with { bench in
            let payload = ByteBuffer.jsonString(octets: 64 << 20)
            try await bench.run { world in
                world.onServed = { exchange, _ in
                    world.notes.append("\(exchange.payload?.readableBytes ?? 0)")
                    exchange.end(header: exchange.header, payload: exchange.payload)
                }
                world.open("big", #"{"big":1}"#, payload: payload)
                world.open("small", payload: ByteBuffer(string: "1"))
            }
            try await bench.until { $0.talker("small").isOver && $0.talker("big").isOver }
            try await bench.run { world in
                // The small one first, though it was sent last.
                #expect(world.notes == ["1", "\(payload.readableBytes)"])
                #expect(world.talker("big").end?.payload == payload)
            }
        }
    }

    @Test func `by the dozen both ways at once need no more than eight connections and lose none`() async throws {
        try await LoopBench.with { bench in
            try await bench.until { $0.accepted.count == 1 && $0.dialled != nil }
            try await bench.run { world in
                world.onServed = { exchange, _ in exchange.end(header: .emptyObject, payload: exchange.payload) }
                world.dialer.onOpen = { $0.end(header: .emptyObject, payload: $0.payload) }
                for number in 0..<40 {
                    let payload = ByteBuffer.jsonString(octets: 400_000, seed: number)
                    world.open("forth \(number)", payload: payload)
                    let talker = world.talker()
                    world.talkers["back \(number)"] = talker
                    _ = world.accepted[0].open(header: .emptyObject, payload: payload, delegate: talker)
                }
            }
            try await bench.until { $0.talkers.values.allSatisfy(\.isOver) }
            try await bench.run { world in
                for number in 0..<40 {
                    let payload = ByteBuffer.jsonString(octets: 400_000, seed: number)
                    #expect(world.talker("forth \(number)").end?.payload == payload)
                    #expect(world.talker("back \(number)").end?.payload == payload)
                }
                #expect(world.timesLost == 0)
            }
        }
    }

    @Test func `that open an exchange keep what follows behind them`() async throws {
        try await LoopBench.with { bench in
            let payload = ByteBuffer.jsonString(octets: 3 << 20)
            try await bench.until { $0.dialled != nil }
            try await bench.run { world in
                let exchange = world.open("a", payload: payload)
                exchange.send(header: JSONText(literal: #"{"n":1}"#))
                exchange.send(header: JSONText(literal: #"{"n":2}"#), payload: payload)
                exchange.end(header: JSONText(literal: #"{"n":3}"#))
            }
            try await bench.until { $0.served.first?.isOver == true }
            try await bench.run { world in
                #expect(world.server(0).exchange?.payload == payload)
                #expect(world.server(0).messages.map(\.header) == [#"{"n":1}"#, #"{"n":2}"#])
                #expect(world.server(0).messages.last?.payload == payload)
                #expect(world.server(0).end?.header == #"{"n":3}"#)
            }
        }
    }

    @Test func `that open an exchange are dropped when it is cancelled meanwhile: it never opens`() async throws {
        try await LoopBench.with { bench in
            let payload = ByteBuffer.jsonString(octets: 3 << 20)
            try await bench.until { $0.dialled != nil }
            try await bench.run { world in
                let exchange = world.open("a", #"{"op":"a"}"#, payload: payload)
                exchange.send(header: .emptyObject, payload: payload)
                exchange.cancel(reason: "changed my mind")
                world.open("b", #"{"op":"b"}"#, payload: payload)
            }
            try await bench.until { $0.served.contains { $0.exchange?.header.string("op") == "b" } }
            // Everything of the first has arrived by the time that a third one, sent last, has.
            try await bench.run { $0.open("c", #"{"op":"c"}"#, payload: payload) }
            try await bench.until { $0.served.contains { $0.exchange?.header.string("op") == "c" } }
            try await bench.run { world in
                #expect(world.served.map { $0.exchange?.header.string("op") } == ["b", "c"])
                #expect(world.timesLost == 0)
                #expect(world.accepted[0].exchangeCount == 2)
            }
        }
    }

    @Test func `on their way to an exchange that is cancelled are dropped, by whichever side`() async throws {
        try await LoopBench.with { bench in
            let payload = ByteBuffer.jsonString(octets: 1 << 20)
            try await bench.run { world in
                for number in 0..<20 { world.open("\(number)") }
            }
            try await bench.until { $0.served.count == 20 }
            try await bench.run { world in
                for (number, talker) in world.served.enumerated() {
                    talker.exchange?.send(header: .emptyObject, payload: payload)
                    talker.exchange?.send(header: .emptyObject)
                    if number % 2 == 0 {
                        world.talker("\(number)").exchange?.cancel(reason: "no")
                    } else {
                        talker.exchange?.cancel(reason: "no")
                    }
                }
                world.onServed = { exchange, _ in exchange.end(header: .emptyObject, payload: exchange.payload) }
                for number in 0..<20 { world.open("after \(number)", payload: payload) }
            }
            try await bench.until { world in
                (0..<20).allSatisfy { world.talker("after \($0)").isOver }
                    && stride(from: 1, to: 20, by: 2).allSatisfy { world.talker("\($0)").isOver }
                    && stride(from: 0, to: 20, by: 2).allSatisfy { world.server($0).isOver }
            }
            try await bench.run { world in
                for number in 0..<20 {
                    #expect(world.talker("after \(number)").end?.payload == payload)
                    #expect(world.talker("\(number)").violations.isEmpty)
                }
                #expect(world.timesLost == 0)
                #expect(world.dialled?.exchangeCount == 0)
            }
        }
    }

    @Test func `that are being sent end with the link: no connection is left behind`() async throws {
        try await LoopBench.with(listening: false) { bench in
            let listening = try RawSocket.listening(at: bench.folder.file("s"))
            try await bench.run { $0.open("a", payload: .jsonString(octets: 16 << 20)) }
            let main = try listening.accept()
            main.write(try main.readFrame())
            _ = try main.readFrame()
            main.write([0, 0, 0, 25] + Array(#"{"k":"grant","x":0,"b":1}"#.utf8))
            let bulk = try listening.accept()
            _ = try bulk.readFrame()
            try await bench.run { $0.dialer.close() }
            // Ends only when the dialler has hung up on both.
            bulk.readToEnd()
            main.readToEnd()
            try await bench.run { #expect($0.talker("a").failure == .linkLost(sent: true)) }
            for socket in [bulk, main, listening] { socket.close() }
        }
    }
}
