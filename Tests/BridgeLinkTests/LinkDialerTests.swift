import BridgeCore
import BridgeLink
import NIOCore
import Testing

@Suite("Dialling a link", .timeLimit(.minutes(2))) struct LinkDialerTests {
    @Test func `keeps what is opened while nobody listens, and sends it in its order once somebody does`() async throws
    {
        try await LoopBench.with(listening: false) { bench in
            try await bench.run { world in
                for number in 0..<100 {
                    let exchange = world.open("\(number)", #"{"n":\#(number)}"#)
                    exchange.send(header: .emptyObject, payload: ByteBuffer(string: "\(number)"))
                    #expect(!exchange.isWritable || !world.dialer.isConnected)
                }
                world.talker("50").exchange?.cancel(reason: "not any more")
                world.talker("51").exchange?.end(header: .emptyObject)
                #expect(!world.dialer.isConnected)
            }
            try await bench.listen()
            try await bench.until { $0.served.count >= 98 && $0.served.last?.messages.count == 1 }
            try await bench.run { world in
                #expect(world.dialer.isConnected)
                let numbers = world.served.compactMap { $0.exchange?.header.int("n") }
                #expect(numbers == numbers.sorted())
                #expect(!numbers.contains(50))
                for talker in world.served {
                    #expect(
                        talker.messages.first?.payload.map { String(buffer: $0) }
                            == talker.exchange?.header.int("n").map { "\($0)" })
                }
                #expect(world.talkers.values.allSatisfy { !$0.isOver })
            }
        }
    }

    @Test func `refuses more than it may keep, and makes room when one is cancelled`() async throws {
        try await LoopBench.with(listening: false, dialling: false) { bench in
            try await bench.run { world in
                for number in 0..<LinkDialer.maximumWaiting { world.open("\(number)") }
                world.open("over")
                #expect(!world.talker("over").isOver, "failure is told in a later turn")
                world.talker("7").exchange?.cancel(reason: "")
                world.open("instead")
            }
            try await bench.until { $0.talker("over").isOver }
            try await bench.run { world in
                #expect(world.talker("over").failure == .overloaded)
                #expect(world.talkers.values.count(where: \.isOver) == 1)
            }
        }
    }

    @Test func `ends on close: what waited was not sent, what comes later is not either`() async throws {
        try await LoopBench.with(listening: false) { bench in
            try await bench.run { world in
                world.open("waiting")
                world.dialer.close()
                world.open("later")
                #expect(world.talker("waiting").failure == .linkLost(sent: false))
                #expect(!world.talker("later").isOver)
            }
            try await bench.until { $0.talker("later").isOver }
            try await bench.run { #expect($0.talker("later").failure == .linkLost(sent: false)) }
        }
    }

    @Test func `fails each exchange once when the peer dies, as perhaps sent`() async throws {
        try await LoopBench.with { bench in
            try await bench.run { world in for number in 0..<50 { world.open("\(number)") } }
            try await bench.until { $0.served.count == 50 }
            try await bench.run { world in
                world.server(0).exchange?.end(header: .emptyObject)
                world.talker("1").exchange?.end(header: .emptyObject)
                for link in world.accepted { link.close() }
            }
            try await bench.until { $0.timesLost == 1 }
            try await bench.run { world in
                #expect(world.talker("0").isOver)
                #expect(!world.talker("1").isOver)
                for number in 2..<50 { #expect(world.talker("\(number)").failure == .linkLost(sent: true)) }
                #expect(world.talkers.values.allSatisfy { $0.violations.isEmpty })
                #expect(world.served.dropFirst(2).allSatisfy { $0.failure == .linkLost(sent: true) })
            }
            try await bench.until { $0.timesConnected == 2 }
        }
    }

    @Test func `comes back when the peer's process is replaced behind its socket, again and again`() async throws {
        try await LoopBench.with(listening: false) { bench in
            let listening = try RawSocket.listening(at: bench.folder.file("s"))
            for round in 1...5 {
                try await bench.listen(listening.duplicate())
                try await bench.run { world in
                    world.onServed = { exchange, _ in
                        if exchange.header.bool("answer") == true { exchange.end(header: .emptyObject) }
                    }
                    world.open("answered \(round)", #"{"answer":true}"#)
                    world.open("in flight \(round)")
                }
                try await bench.until { $0.talker("answered \(round)").isOver && $0.served.count == round * 3 - 1 }
                try await bench.run { $0.closeListener() }
                try await bench.until { $0.timesLost == round }
                try await bench.run { world in
                    #expect(world.talker("in flight \(round)").failure == .linkLost(sent: true))
                    #expect(!world.dialer.isConnected)
                    // Waits in the backlog for the next one.
                    world.open("between \(round)", #"{"answer":true}"#)
                }
            }
            try await bench.listen(listening.duplicate())
            try await bench.until { world in (1...5).allSatisfy { world.talker("between \($0)").isOver } }
            try await bench.run { world in
                for round in 1...5 {
                    #expect(world.talker("answered \(round)").end != nil)
                    #expect(world.talker("between \(round)").end != nil)
                }
            }
            listening.close()
        }
    }

    @Test func `sends nothing to a peer that hangs up before it says hello`() async throws {
        try await LoopBench.with(listening: false) { bench in
            let listening = try RawSocket.listening(at: bench.folder.file("s"))
            try await bench.run { $0.open("a", #"{"secret":1}"#) }
            for _ in 0..<3 {
                let peer = try listening.accept()
                let hello = try peer.readFrame()
                #expect(String(decoding: hello, as: UTF8.self).contains("hello"))
                #expect(!String(decoding: hello, as: UTF8.self).contains("secret"))
                peer.close()
            }
            try await bench.run { #expect(!$0.talker("a").isOver) }
            try await bench.listen(listening)
            try await bench.until { $0.served.count == 1 }
        }
    }

    @Test func `hangs up on a peer whose first word is no hello`() async throws {
        try await LoopBench.with(listening: false) { bench in
            let listening = try RawSocket.listening(at: bench.folder.file("s"))
            try await bench.run { $0.open("a") }
            for word in [
                "{\"k\":\"credit\",\"x\":0,\"n\":1,\"o\":1}", "{\"k\":\"hello\",\"x\":0}", "garbage, no frame at all",
            ] {
                let peer = try listening.accept()
                _ = try peer.readFrame()
                peer.write([0, 0, 0, UInt8(word.utf8.count)] + Array(word.utf8))
                peer.readToEnd()
                peer.close()
            }
            try await bench.run { #expect(!$0.talker("a").isOver) }
            try await bench.listen(listening)
            try await bench.until { $0.served.count == 1 }
        }
    }

    @Test func `is told of a link before what waited leaves on it`() async throws {
        try await LoopBench.with(listening: false) { bench in
            try await bench.run { world in
                world.open("waiting", #"{"n":2}"#)
                world.dialer.onConnected = { [weak world] link in
                    guard let world else { return }
                    _ = link.open(header: JSONText(literal: #"{"n":1}"#), delegate: world.talker())
                }
            }
            try await bench.listen()
            try await bench.until { $0.served.count == 2 }
            try await bench.run { #expect($0.served.map { $0.exchange?.header.int("n") } == [1, 2]) }
        }
    }

    @Test func `opened from within a failure goes to the next link`() async throws {
        try await LoopBench.with { bench in
            try await bench.run { world in
                world.open("first")
                world.onServed = { exchange, _ in
                    if exchange.header.bool("again") == true { exchange.end(header: .emptyObject) }
                }
            }
            try await bench.until { $0.served.count == 1 }
            try await bench.run { world in
                // What a caller does that repeats a request: it opens again while the link is being taken down.
                let retry = AnswerWaiter { [weak world] answer in
                    guard let world, case .failed(.linkLost(sent: true)) = answer else { return }
                    world.open("second", #"{"again":true}"#)
                }
                _ = world.dialer.open(header: .emptyObject, delegate: retry)
            }
            try await bench.until { $0.served.count == 2 }
            try await bench.run { $0.accepted[0].close() }
            try await bench.until { $0.talker("second").isOver }
            try await bench.run { world in
                // The link that was going down took it as not sent, or the next one answered it; it was never lost.
                #expect(world.talker("second").end != nil || world.talker("second").failure == .linkLost(sent: false))
            }
        }
    }

    @Test func `does not dial in a circle a peer that says hello and hangs up`() async throws {
        try await LoopBench.with(listening: false) { bench in
            let listening = try RawSocket.listening(at: bench.folder.file("s"))
            let start = ContinuousClock.now
            for _ in 0..<6 {
                let peer = try listening.accept()
                peer.write(try peer.readFrame())
                peer.close()
            }
            #expect(ContinuousClock.now - start >= .milliseconds(150), "10, 20, 40, 80 and 160 ms apart")
            try await bench.listen(listening)
            try await bench.run { $0.open("a") }
            try await bench.until { $0.served.count == 1 }
        }
    }
}
