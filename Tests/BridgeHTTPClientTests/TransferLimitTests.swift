import NIOCore
import NIOHTTP1
import Testing

@testable import BridgeHTTPClient

@Suite("HTTP transfer limits") struct TransferLimitTests {
    @Test func `an answer that does not come is given up`() async throws {
        try await OddServer.serving({ _, _ in [] }) { server in
            let asked = try request(server, limits: TransferLimits(total: .seconds(2)))
            let found = try await connected { try await $0.outcome(of: asked) }
            #expect(found.failure == HTTPFailure(.late(.seconds(2)), mayHaveRun: true))
            #expect(found.failure.map { "\($0)".contains("2 s") } == true)
            try await server.closed()
        }
    }

    @Test func `a body that stands still is given up, and a slow head is not`() async throws {
        let script: [OddServer.Step] = [
            .wait(.milliseconds(120)), .text("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
        ]
        try await OddServer.serving({ _, _ in script }) { server in
            let asked = try request(server, limits: TransferLimits(total: .seconds(60), idle: .milliseconds(60)))
            let found = try await connected { try await $0.outcome(of: asked) }
            #expect(found.failure == HTTPFailure(.silent(.milliseconds(60)), mayHaveRun: true))
            #expect(found.text == "half")
        }
    }

    @Test func `a receiver that does not read holds the server up, and that is not called silence`() async throws {
        let piece = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1 << 20)
        let head = OddServer.Step.text("HTTP/1.1 200 OK\r\nContent-Length: \(64 << 20)\r\n\r\n")
        let script = [head] + Array(repeating: .bytes(piece), count: 64)
        try await OddServer.serving({ _, _ in script }) { server in
            let asked = try request(server, limits: TransferLimits(total: .seconds(60), idle: .seconds(2)))
            let found = try await connected { connections in
                try await connections.outcome(of: asked) { transfer in
                    transfer.isReading = false
                    let bound = NIOLoopBound(transfer, eventLoop: connections.loop)
                    connections.loop.scheduleTask(in: .milliseconds(2_500)) {
                        #expect(server.written < 32 << 20)
                        bound.value.isReading = true
                    }
                }
            }
            #expect(found.failure == nil)
            #expect(found.body.readableBytes == 64 << 20)
        }
    }

    @Test func `the clock tells which limit is over first`() {
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var clock = TransferClock(TransferLimits(total: .seconds(10), idle: .seconds(4)), now: now)
        #expect(clock.verdict(at: now + .seconds(9)) == .wait(until: now + .seconds(10)))
        clock.listen(now: now + .seconds(1))
        #expect(clock.verdict(at: now + .seconds(2)) == .wait(until: now + .seconds(5)))
        #expect(clock.verdict(at: now + .seconds(5)) == .silent)
        clock.ignoreSilence()
        #expect(clock.verdict(at: now + .seconds(5)) == .wait(until: now + .seconds(10)))
        clock.listen(now: now + .seconds(9))
        #expect(clock.verdict(at: now + .seconds(9)) == .wait(until: now + .seconds(10)))
        #expect(clock.verdict(at: now + .seconds(10)) == .late)
        #expect(TransferClock(TransferLimits(), now: now).verdict(at: .distantFuture) == .wait(until: nil))
    }

    @Test func `a reply longer than its limit is refused with the limit`() async throws {
        try await OddServer.serving({ _, _ in answer("200 OK", String(repeating: "x", count: 101)) }) { server in
            let asked = try request(server)
            try await connected { connections in
                await #expect(throws: HTTPFailure(.tooLarge(limit: 100), mayHaveRun: true)) {
                    try await connections.loop.flatSubmit { connections.reply(to: asked, maximumBody: 100) }.get()
                }
                let whole = try await connections.loop.flatSubmit { connections.reply(to: asked, maximumBody: 101) }
                    .get()
                #expect(whole.body.readableBytes == 101)
            }
        }
    }
}

@Suite("HTTP bodies that are packed") struct PackedBodyTests {
    private static let hello: [UInt8] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 255, 203, 72, 205, 201, 201, 7, 0, 134, 166, 16, 54, 5, 0, 0, 0,
    ]

    /// 65,536 times the same letter.
    private static let much: [UInt8] =
        [31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 237, 193, 1, 1, 0, 0, 0, 128, 144, 219, 205, 239, 8, 10]
        + [UInt8](repeating: 0, count: 63) + [106, 154, 88, 180, 44, 0, 0, 1, 0]

    private static func packed(_ encoding: String, _ bytes: [UInt8]) -> [OddServer.Step] {
        [
            .text("HTTP/1.1 200 OK\r\nContent-Encoding: \(encoding)\r\nContent-Length: \(bytes.count)\r\n\r\n"),
            .bytes(ByteBuffer(bytes: bytes)),
        ]
    }

    @Test func `gzip that nobody asked for is unpacked`() async throws {
        try await OddServer.serving({ _, _ in Self.packed("gzip", Self.hello) }) { server in
            let found = try await connected { try await $0.outcome(of: request(server)) }
            #expect(found.text == "hello", "\(found)")
        }
    }

    @Test func `more than a hundred times what was sent is not unpacked`() async throws {
        try await OddServer.serving({ _, _ in Self.packed("gzip", Self.much) }) { server in
            let found = try await connected { try await $0.outcome(of: request(server)) }
            #expect(
                found.failure == HTTPFailure(.malformed("its body unpacks to far more than was sent"), mayHaveRun: true)
            )
        }
    }

    @Test(arguments: ["br", "zstd", "Compress"]) func `other packings are refused by name`(name: String) async throws {
        try await OddServer.serving({ _, _ in Self.packed(name, Self.hello) }) { server in
            let found = try await connected { try await $0.outcome(of: request(server)) }
            #expect(found.failure == HTTPFailure(.unknownEncoding(name.lowercased()), mayHaveRun: true))
        }
    }

    @Test(arguments: ["identity", "none", ""]) func `words for no packing mean nothing`(name: String) async throws {
        try await OddServer.serving({ _, _ in Self.packed(name, Array("plain".utf8)) }) { server in
            let found = try await connected { try await $0.outcome(of: request(server)) }
            #expect(found.text == "plain", "\(found)")
        }
    }
}
