import BridgeCore
import BridgeLink
import NIOCore
import Testing

@Suite("Bad peers of a link", .timeLimit(.minutes(2))) struct LinkPeerTests {
    private static func frame(_ object: String) -> [UInt8] {
        let bytes = Array(object.utf8)
        return withUnsafeBytes(of: UInt32(bytes.count).bigEndian, Array.init) + bytes
    }

    private static let hello = Self.frame(#"{"k":"hello","x":0,"h":{"link":"raw","bulk":false}}"#)

    static let garbage: [[UInt8]] = [
        Array("GET / HTTP/1.1\r\n\r\n".utf8), [0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3],
        Self.frame("not a frame, not at all"), Self.frame(#"{"k":"open","x":1,"h":{}}"#),
        Self.frame(#"{"k":"hello","x":0}"#), Self.frame(#"{"k":"hello","x":0,"h":{"bulk":true,"link":"nobody's"}}"#),
        Self.frame(#"{"k":"hello","x":0,"h":{"link":7}}"#),
        // A link that begins well.
        Self.hello + [0, 0, 0, 5], Self.hello + Self.frame(#"{"k":"open","x":2,"h":{}}"#),
        Self.hello + Self.frame(#"{"k":"open","x":1,"h":{}}"#) + Self.frame(#"{"k":"open","x":1,"h":{}}"#),
        Self.hello + Self.frame(#"{"k":"open","x":1,"b":4}"#) + Self.frame(#"{"k":"open","x":1,"b":5}"#),
        Self.hello + Self.frame(#"{"k":"open","x":1,"h":{}}"#) + [0x7F, 0, 0, 0],
    ]

    @Test(arguments: Self.garbage)
    func `lose their own connection and no other`(bytes: [UInt8]) async throws {
        try await LoopBench.with { bench in
            try await bench.run { world in
                world.open("bystander")
            }
            try await bench.until { $0.served.count == 1 }
            let raw = try RawSocket.connected(to: bench.folder.file("s"))
            raw.write(bytes)
            raw.readToEnd()
            raw.close()
            try await bench.run { world in
                world.server(0).exchange?.end(header: .emptyObject)
                world.open("next")
            }
            try await bench.until { $0.talker("bystander").isOver }
            try await bench.run { world in
                #expect(world.talker("bystander").end != nil)
                #expect(world.timesLost == 0)
                for talker in world.served.dropFirst() where talker.exchange?.isOver == true {
                    #expect(talker.failure == .linkLost(sent: true))
                }
            }
        }
    }

    @Test func `may say things that mean nothing: they are passed over`() async throws {
        try await LoopBench.with(dialling: false) { bench in
            let raw = try RawSocket.connected(to: bench.folder.file("s"))
            let nonsense = [
                #"{"k":"hello","x":0,"h":{"link":"other","bulk":true}}"#, #"{"k":"end","x":77}"#,
                #"{"k":"message","x":0,"m":1}"#, #"{"k":"cancel","x":9,"h":{"reason":1}}"#,
                #"{"k":"credit","x":3,"n":4294967295,"o":4294967295}"#, #"{"k":"bulk","x":1,"m":1}"#,
                #"{"k":"want","x":0}"#, #"{"k":"message","x":5,"b":9}"#,
            ]
            raw.write(Self.hello + nonsense.flatMap(Self.frame) + Self.frame(#"{"k":"open","x":1,"h":{"op":"x"}}"#))
            try await bench.until { $0.served.count == 1 }
            raw.write(
                Self.frame(#"{"k":"credit","x":1,"n":4294967295,"o":4294967295}"#)
                    + Self.frame(#"{"k":"open","x":3}"#) + Self.frame(#"{"k":"cancel","x":1,"h":{"reason":5}}"#)
            )
            try await bench.until { $0.served.count == 2 && $0.server(0).isOver }
            try await bench.run { #expect($0.server(0).failure == .cancelled(reason: "")) }
            raw.close()
            try await bench.until { $0.server(1).isOver }
        }
    }

    @Test func `that give more window than they took open it no wider than it is`() async throws {
        try await LoopBench.with(dialling: false) { bench in
            let raw = try RawSocket.connected(to: bench.folder.file("s"))
            raw.write(
                Self.hello + Self.frame(#"{"k":"open","x":1}"#)
                    + Self.frame(#"{"k":"credit","x":1,"n":4294967295,"o":4294967295}"#)
            )
            try await bench.until { $0.served.count == 1 }
            try await bench.run { world in
                let exchange = world.server(0).exchange
                for _ in 0..<64 { exchange?.send(header: .emptyObject) }
                #expect(exchange?.isWritable == false)
            }
            raw.close()
        }
    }

    @Test func `that connect and say nothing keep nobody from being served`() async throws {
        try await LoopBench.with { bench in
            let silent = try (0..<50).map { _ in try RawSocket.connected(to: bench.folder.file("s")) }
            try await bench.run { world in
                world.onServed = { exchange, _ in exchange.end(header: .emptyObject) }
                world.open("a")
            }
            try await bench.until { $0.talker("a").isOver }
            for socket in silent { socket.close() }
        }
    }

    @Test func `can still be talked to after the listener has closed`() async throws {
        try await LoopBench.with { bench in
            try await bench.until { $0.dialled != nil }
            try await bench.run { world in
                world.listener?.close()
                world.onServed = { exchange, _ in exchange.end(header: .emptyObject) }
                world.open("a")
            }
            try await bench.until { $0.talker("a").isOver }
            try await bench.run { #expect($0.talker("a").end != nil) }
        }
    }
}
