import BridgeCore
import BridgeLink
import NIOCore
import Testing

@Suite("Windows of a link's exchanges", .timeLimit(.minutes(2))) struct LinkWindowTests {
    private static func numbered(_ number: Int) -> JSONText {
        JSONText(trusting: ByteBuffer(string: #"{"n":\#(number)}"#))
    }

    /// A sender of many messages and a receiver that acknowledges only when told to.
    private func withSlowReader(
        messages: Int, octets: Int = 0, _ body: (LoopBench) async throws -> Void
    ) async throws {
        try await LoopBench.with { bench in
            try await bench.run { world in
                world.onServed = { exchange, _ in
                    if exchange.header.bool("slow") == true { exchange.automaticCredit = false }
                }
                let exchange = world.open("slow", #"{"slow":true}"#)
                for number in 0..<messages {
                    exchange.send(
                        header: Self.numbered(number),
                        payload: octets == 0 ? nil : .jsonString(octets: octets, seed: number)
                    )
                }
            }
            try await body(bench)
        }
    }

    @Test func `hold the sender back after 64 messages, and only on this exchange`() async throws {
        try await self.withSlowReader(messages: 200) { bench in
            try await bench.until { $0.served.first?.messages.count == 64 }
            try await bench.run { world in
                #expect(world.talker("slow").exchange?.isWritable == false)
                let other = world.open("other")
                for number in 0..<200 { other.send(header: Self.numbered(number)) }
            }
            try await bench.until { $0.served.last?.messages.count == 200 }
            try await bench.run { #expect($0.server(0).messages.count == 64) }
        }
    }

    @Test func `hold the sender back after a megabyte`() async throws {
        try await self.withSlowReader(messages: 30, octets: 100_000) { bench in
            try await bench.until { $0.served.first?.messages.count == 11 }
            try await bench.run { $0.open("other") }
            try await bench.until { $0.served.count == 2 }
            try await bench.run { world in
                #expect(world.server(0).messages.count == 11, "the eleventh overdraws it")
                #expect(world.talker("slow").exchange?.isWritable == false)
            }
        }
    }

    @Test func `open again as the reader goes on, and say so once all that waited has left`() async throws {
        try await self.withSlowReader(messages: 100) { bench in
            try await bench.until { $0.served.first?.messages.count == 64 }
            try await bench.run { world in
                #expect(world.talker("slow").timesWritable == 0)
                for _ in 0..<64 { world.server(0).exchange?.acknowledge(octets: 0) }
            }
            try await bench.until { $0.server(0).messages.count == 100 && $0.talker("slow").timesWritable > 0 }
            try await bench.run { world in
                #expect(world.talker("slow").timesWritable == 1)
                #expect(world.talker("slow").exchange?.isWritable == true)
                #expect(world.server(0).messages.map(\.header) == (0..<100).map { Self.numbered($0).description })
                #expect(world.talker("slow").violations.isEmpty)
            }
        }
    }

    @Test func `let a sender that heeds them send everything, with nothing queued`() async throws {
        try await LoopBench.with { bench in
            try await bench.run { world in
                let exchange = world.open("a")
                let talker = world.talker("a")
                var sent = 0
                func fill() {
                    while exchange.isWritable, sent < 1_000 {
                        exchange.send(header: Self.numbered(sent), payload: .jsonString(octets: 10_000, seed: sent))
                        sent += 1
                    }
                }
                talker.onWritable = { _ in fill() }
                fill()
                #expect(sent < 1_000)
            }
            try await bench.until { $0.served.first?.messages.count == 1_000 }
            try await bench.run { world in
                #expect(world.server(0).messages.map(\.header) == (0..<1_000).map { Self.numbered($0).description })
            }
        }
    }

    @Test(arguments: [false, true])
    func `can be given up, also when the sender has ended what waits behind them`(isEnded: Bool) async throws {
        try await self.withSlowReader(messages: 200) { bench in
            try await bench.until { $0.served.first?.messages.count == 64 }
            try await bench.run { world in
                if isEnded { world.talker("slow").exchange?.end(header: .emptyObject) }
                let link = try #require(world.dialled)
                #expect(link.queued.count == 1)
                for exchange in link.queued { exchange.giveUp(reason: "it does not read") }
                #expect(link.queued.isEmpty && link.exchangeCount == 0)
                let told = isEnded ? nil : ExchangeFailure.cancelled(reason: "it does not read")
                #expect(world.talker("slow").failure == told)
            }
            try await bench.until { $0.server(0).failure == .cancelled(reason: "it does not read") }
            try await bench.run { #expect($0.server(0).messages.count == 64) }
        }
    }

    @Test func `are overtaken by a cancel: what was queued never arrives`() async throws {
        try await self.withSlowReader(messages: 200) { bench in
            try await bench.until { $0.served.first?.messages.count == 64 }
            try await bench.run { $0.talker("slow").exchange?.cancel(reason: "enough") }
            try await bench.until { $0.server(0).isOver }
            try await bench.run { world in
                #expect(world.server(0).failure == .cancelled(reason: "enough"))
                #expect(world.server(0).messages.count == 64)
                world.server(0).exchange?.acknowledge(octets: 0)
                world.open("next")
            }
            try await bench.until { $0.served.count == 2 }
            try await bench.run { world in
                #expect(world.server(0).messages.count == 64)
                #expect(world.server(0).violations.isEmpty)
                #expect(world.dialled?.exchangeCount == 1)
            }
        }
    }

    @Test func `let the end through only behind the messages that wait`() async throws {
        try await self.withSlowReader(messages: 130) { bench in
            try await bench.run {
                $0.talker("slow").exchange?.end(header: .emptyObject, payload: ByteBuffer(string: "9"))
            }
            try await bench.until { $0.served.first?.messages.count == 64 }
            for _ in 0..<2 {
                try await bench.run { world in
                    #expect(!world.server(0).isOver)
                    for _ in 0..<64 { world.server(0).exchange?.acknowledge(octets: 0) }
                }
                try await bench.until { [128, 130].contains($0.server(0).messages.count) }
                if try await bench.value({ $0.server(0).messages.count == 130 }) { break }
            }
            try await bench.until { $0.server(0).isOver }
            try await bench.run { world in
                #expect(world.server(0).messages.count == 130)
                #expect(world.server(0).end?.payload == ByteBuffer(string: "9"))
                #expect(world.dialled?.exchangeCount == 0)
            }
        }
    }

    @Test func `that wait are dropped when the peer ends the exchange`() async throws {
        try await self.withSlowReader(messages: 200) { bench in
            try await bench.until { $0.served.first?.messages.count == 64 }
            try await bench.run { $0.server(0).exchange?.end(header: .emptyObject) }
            try await bench.until { $0.talker("slow").isOver }
            try await bench.run { world in
                #expect(world.talker("slow").end != nil)
                #expect(world.dialled?.exchangeCount == 0)
                #expect(world.accepted[0].exchangeCount == 0)
            }
        }
    }
}
