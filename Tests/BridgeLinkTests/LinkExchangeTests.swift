import BridgeCore
import BridgeLink
import NIOCore
import Testing

@Suite("Exchanges over a link", .timeLimit(.minutes(2))) struct LinkExchangeTests {
    private static func text(_ string: String) -> JSONText { JSONText(trusting: ByteBuffer(string: string)) }

    @Test func `carry header and payload untouched there and back`() async throws {
        try await LoopBench.with { bench in
            let header = #"{ "op":"call" ,"x":"}{\"" }"#
            let payload = #"{"b" : 1.0, "a":[ ],"a":"\u00e9"}"#
            try await bench.run { world in
                world.onServed = { exchange, _ in exchange.end(header: exchange.header, payload: exchange.payload) }
                world.open("a", header, payload: ByteBuffer(string: payload))
                world.open("empty")
            }
            try await bench.until { $0.talker("a").isOver && $0.talker("empty").isOver }
            try await bench.run { world in
                #expect(world.talker("a").end == Talker.Heard(header: header, payload: ByteBuffer(string: payload)))
                #expect(world.talker("empty").end == Talker.Heard(header: "{}", payload: nil))
                #expect(world.server(0).exchange?.header.description == header)
                #expect(world.accepted.map(\.exchangeCount) == [0])
                #expect(world.dialled?.exchangeCount == 0)
            }
        }
    }

    @Test func `can be opened from either side`() async throws {
        try await LoopBench.with { bench in
            try await bench.until { $0.accepted.count == 1 && $0.dialled != nil }
            try await bench.run { world in
                world.dialer.onOpen = { $0.end(header: $0.header, payload: $0.payload) }
                let talker = world.talker()
                world.talkers["back"] = talker
                talker.takes(world.accepted[0].open(header: Self.text(#"{"n":1}"#), delegate: talker))
                world.onServed = { exchange, _ in exchange.end(header: .emptyObject) }
                world.open("forth")
            }
            try await bench.until { $0.talker("back").isOver && $0.talker("forth").isOver }
            try await bench.run { #expect($0.talker("back").end?.header == #"{"n":1}"#) }
        }
    }

    @Test func `carry messages both ways in their order, the end last`() async throws {
        try await LoopBench.with { bench in
            try await bench.run { world in
                world.onServed = { exchange, talker in
                    talker.onMessage = { exchange, header, payload in exchange.send(header: header, payload: payload) }
                    _ = exchange
                }
                let exchange = world.open("a")
                for number in 0..<300 { exchange.send(header: Self.text(#"{"n":\#(number)}"#)) }
            }
            try await bench.until { $0.talker("a").messages.count == 300 }
            try await bench.run { world in
                world.server(0).exchange?.send(header: Self.text(#"{"n":"last"}"#))
                world.server(0).exchange?.end(header: .emptyObject)
            }
            try await bench.until { $0.talker("a").isOver }
            try await bench.run { world in
                let expected = (0..<300).map { #"{"n":\#($0)}"# } + [#"{"n":"last"}"#]
                #expect(world.talker("a").messages.map(\.header) == expected)
                #expect(world.talker("a").violations.isEmpty)
                #expect(world.server(0).end == nil && world.server(0).failure == nil, "who ends hears no end")
            }
        }
    }

    @Test func `run by the hundred side by side, each with its own answers`() async throws {
        try await LoopBench.with { bench in
            try await bench.run { world in
                world.onServed = { exchange, talker in
                    talker.onMessage = { [weak talker] exchange, header, payload in
                        exchange.send(header: exchange.header, payload: payload)
                        if talker?.messages.count == 10 {
                            exchange.end(header: exchange.header, payload: exchange.payload)
                        }
                    }
                    _ = exchange
                }
                for number in 0..<500 {
                    world.open(
                        "\(number)", #"{"id":\#(number)}"#, payload: .jsonString(octets: number + 2, seed: number))
                }
                for round in 0..<10 {
                    for number in 0..<500 {
                        world.talker("\(number)").exchange?.send(
                            header: .emptyObject, payload: ByteBuffer(string: "[\(number),\(round)]")
                        )
                    }
                }
            }
            try await bench.until { world in world.talkers.values.allSatisfy(\.isOver) }
            try await bench.run { world in
                for number in 0..<500 {
                    let talker = world.talker("\(number)")
                    #expect(talker.messages.map(\.header) == Array(repeating: #"{"id":\#(number)}"#, count: 10))
                    #expect(talker.messages.map(\.payload) == (0..<10).map { ByteBuffer(string: "[\(number),\($0)]") })
                    #expect(talker.end?.payload == .jsonString(octets: number + 2, seed: number))
                    #expect(talker.violations.isEmpty)
                }
                #expect(world.dialled?.exchangeCount == 0)
                #expect(world.accepted[0].exchangeCount == 0)
            }
        }
    }

    @Test func `tell the peer of a cancel and its reason, and nothing more`() async throws {
        try await LoopBench.with { bench in
            try await bench.run { $0.open("a") }
            try await bench.until { $0.served.count == 1 }
            try await bench.run { world in
                world.talker("a").exchange?.cancel(reason: #"say "no""#)
                world.talker("a").exchange?.send(header: .emptyObject)
                world.talker("a").exchange?.end(header: .emptyObject)
                world.talker("a").exchange?.cancel(reason: "again")
                world.server(0).exchange?.send(header: .emptyObject)
            }
            try await bench.until { $0.server(0).isOver }
            try await bench.run { world in
                #expect(world.server(0).failure == .cancelled(reason: #"say "no""#))
                world.server(0).exchange?.end(header: .emptyObject)
                world.open("next")
            }
            try await bench.until { $0.served.count == 2 }
            try await bench.run { world in
                #expect(!world.talker("a").isOver, "who cancels hears nothing")
                #expect(world.talker("a").messages.isEmpty)
                #expect(world.server(0).violations.isEmpty)
            }
        }
    }

    @Test func `that both sides end at once are over for both`() async throws {
        try await LoopBench.with { bench in
            try await bench.run { $0.open("a") }
            try await bench.until { $0.served.count == 1 }
            try await bench.run { world in
                world.talker("a").exchange?.end(header: .emptyObject)
                world.server(0).exchange?.end(header: .emptyObject)
                world.open("next")
            }
            try await bench.until { $0.served.count == 2 }
            try await bench.run { world in
                world.server(1).exchange?.end(header: .emptyObject)
            }
            try await bench.until { $0.talker("next").isOver }
            try await bench.run { world in
                #expect(world.dialled?.exchangeCount == 0)
                #expect(world.accepted[0].exchangeCount == 0)
                #expect(!world.talker("a").isOver && !world.server(0).isOver)
            }
        }
    }

    @Test func `that nobody serves are cancelled`() async throws {
        try await LoopBench.with { bench in
            try await bench.until { $0.accepted.count == 1 }
            try await bench.run { world in
                world.accepted[0].onOpen = nil
                world.open("a")
            }
            try await bench.until { $0.talker("a").isOver }
            try await bench.run { #expect($0.talker("a").failure == .cancelled(reason: "overloaded")) }
        }
    }

    @Test func `beyond the most that a link carries fail as overloaded, and there is room again afterwards`()
        async throws
    {
        try await LoopBench.with { bench in
            try await bench.until { $0.dialled != nil }
            try await bench.run { world in
                for number in 0..<LinkConnection.maximumExchanges { world.open("\(number)") }
                world.open("one more")
                #expect(!world.talker("one more").isOver, "failure is told in a later turn")
            }
            try await bench.until { $0.talker("one more").isOver }
            try await bench.until { $0.served.count == LinkConnection.maximumExchanges }
            try await bench.run { world in
                #expect(world.talker("one more").failure == .overloaded)
                world.server(0).exchange?.end(header: .emptyObject)
            }
            try await bench.until { $0.talker("0").isOver }
            try await bench.run { world in
                world.open("again")
                world.talker("again").exchange?.send(header: .emptyObject)
            }
            try await bench.until { $0.served.last?.messages.count == 1 }
            try await bench.run { #expect($0.talkers.values.count { $0.failure != nil } == 1) }
        }
    }

    @Test func `with a payload beyond the limit fail alone, opened, sent or ended`() async throws {
        try await LoopBench.with { bench in
            let tooLarge = ByteBuffer.jsonString(octets: Frame.maximumPayload + 1)
            try await bench.run { world in
                world.open("bystander")
                world.open("opens", payload: tooLarge)
                world.open("sends")
                world.open("ends")
            }
            try await bench.until { $0.served.count == 3 && $0.talker("opens").isOver }
            try await bench.run { world in
                #expect(world.talker("opens").failure == .cancelled(reason: ExchangeFailure.tooLarge))
                world.talker("sends").exchange?.send(header: .emptyObject, payload: tooLarge)
                #expect(world.talker("sends").failure == .cancelled(reason: ExchangeFailure.tooLarge))
                world.server(2).exchange?.end(header: .emptyObject, payload: tooLarge)
            }
            try await bench.until { $0.talker("ends").isOver && $0.server(1).isOver }
            try await bench.run { world in
                #expect(world.talker("ends").failure == .cancelled(reason: ExchangeFailure.tooLarge))
                #expect(world.server(1).failure == .cancelled(reason: ExchangeFailure.tooLarge))
                #expect(!world.talker("bystander").isOver)
                #expect(world.timesLost == 0)
            }
        }
    }
}
