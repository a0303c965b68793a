import Glibc
import NIOCore
import NIOPosix

/// One connection to the front that sends and receives bytes, so that a test can be as rude as it likes.
final class RawClient {
    struct Reply: Equatable {
        var status: Int
        var head: String
        var body: String

        /// A header's value.
        func value(_ name: String) -> String? {
            for line in self.head.split(separator: "\r\n").dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts.count == 2, parts[0].lowercased() == name.lowercased() {
                    return String(parts[1].drop { $0 == " " })
                }
            }
            return nil
        }
    }

    struct Closed: Error {}

    private let channel: any Channel
    private var incoming: AsyncStream<ByteBuffer>.AsyncIterator
    private var buffered = ByteBuffer()

    private init(_ channel: any Channel, _ incoming: AsyncStream<ByteBuffer>) {
        self.channel = channel
        self.incoming = incoming.makeAsyncIterator()
    }

    static func connect(_ address: SocketAddress, reading: Bool = true) async throws -> RawClient {
        let (stream, continuation) = AsyncStream<ByteBuffer>.makeStream()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reading)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(continuation))
                }
            }
            .connect(to: address).get()
        return RawClient(channel, stream)
    }

    func send(_ text: String) async throws { try await self.channel.writeAndFlush(ByteBuffer(string: text)) }

    func send(_ bytes: ByteBuffer) async throws { try await self.channel.writeAndFlush(bytes) }

    func startReading() async throws { try await self.channel.setOption(.autoRead, value: true).get() }

    func stopReading() async throws { try await self.channel.setOption(.autoRead, value: false).get() }

    func close() async throws { try await self.channel.close() }

    func closeOutput() async throws { try await self.channel.close(mode: .output) }

    /// Reads one response: by its `Content-Length`, or all of its chunks.
    func reply() async throws -> Reply {
        let head = try await self.text(through: "\r\n\r\n")
        let status = Int(head.split(separator: " ")[1]) ?? 0
        var reply = Reply(status: status, head: head, body: "")
        if let length = reply.value("content-length").flatMap({ Int($0) }) {
            reply.body = try await self.text(count: length)
        } else if reply.value("transfer-encoding") == "chunked" {
            while let chunk = try await self.chunk() { reply.body += chunk }
        }
        return reply
    }

    /// Reads the head of a response only.
    func head() async throws -> Reply {
        let head = try await self.text(through: "\r\n\r\n")
        return Reply(status: Int(head.split(separator: " ")[1]) ?? 0, head: head, body: "")
    }

    /// The next chunk of a chunked body; `nil` at its end.
    func chunk() async throws -> String? {
        let line = try await self.text(through: "\r\n")
        let length = Int(line.prefix { $0 != "\r\n" }, radix: 16) ?? 0
        let chunk = try await self.text(count: length)
        _ = try await self.text(count: 2)
        return length == 0 ? nil : chunk
    }

    /// Waits until the other side has closed; returns what came before that.
    func end() async -> String {
        while await self.more() {}
        defer { self.buffered.clear() }
        return String(buffer: self.buffered)
    }

    private func text(through end: String) async throws -> String {
        while true {
            let text = String(buffer: self.buffered)
            if let range = text.utf8.firstRange(of: Array(end.utf8)) {
                let count = text.utf8.distance(from: text.startIndex, to: range.upperBound)
                return try await self.text(count: count)
            }
            guard await self.more() else { throw Closed() }
        }
    }

    private func text(count: Int) async throws -> String {
        while self.buffered.readableBytes < count {
            guard await self.more() else { throw Closed() }
        }
        return self.buffered.readString(length: count) ?? ""
    }

    private func more() async -> Bool {
        guard var bytes = await self.incoming.next() else { return false }
        self.buffered.writeBuffer(&bytes)
        return true
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let continuation: AsyncStream<ByteBuffer>.Continuation

        init(_ continuation: AsyncStream<ByteBuffer>.Continuation) { self.continuation = continuation }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.continuation.yield(self.unwrapInboundIn(data))
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed = event { self.continuation.finish() }
        }

        func channelInactive(context: ChannelHandlerContext) { self.continuation.finish() }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { self.continuation.finish() }
    }
}
