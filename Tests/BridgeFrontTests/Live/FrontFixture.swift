import BridgeConfiguration
import BridgeCore
import BridgeLink
import Foundation
import Glibc
import Logging
import NIOCore
import NIOPosix

@testable import BridgeFront

/// A front on a TCP port and a Unix socket of its own, with a session worker and a supervisor that the test plays.
struct FrontFixture: Sendable {
    let loop: any EventLoop
    let tcp: SocketAddress
    let unix: SocketAddress
    let session: NIOLoopBound<FakeSession>
    let supervisor: NIOLoopBound<FakeSupervisor>
    let worker: FrontWorker
    let configuration: FrontConfiguration

    /// - Parameter sessionListens: false leaves the session's socket in nobody's hands: dialling it waits.
    static func run(
        sessionListens: Bool = true,
        stores: FrontStores? = nil,
        answer: @escaping FakeSession.Answer = FrontFixture.echo,
        configure: (inout FrontConfiguration) -> Void = { _ in },
        _ test: (FrontFixture) async throws -> Void
    ) async throws {
        let directory = URL(filePath: NSTemporaryDirectory()).appending(path: "front-\(UUID().uuidString.prefix(8))")
            .path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var configuration = FrontConfiguration(
            sessionSocket: directory + "/session.sock", version: "1.2.3", serviceUID: getuid()
        )
        configure(&configuration)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let fixture = try await Self.start(
            directory, configuration, group.next(), sessionListens, stores, answer)
        let (ready, isReady) = AsyncStream<Void>.makeStream()
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await fixture.worker.run { isReady.yield() } }
            for await _ in ready { break }
            do {
                try await test(fixture)
            } catch {
                try await fixture.onLoop { $0.worker.drain(within: .zero) }
                throw error
            }
            try await fixture.onLoop { $0.worker.drain(within: .zero) }
            try await tasks.waitForAll()
        }
        try await fixture.onLoop { $0.session.value.die() }
        try await group.shutdownGracefully()
    }

    static let echo = FakeSession.echo

    func onLoop<Result: Sendable>(_ body: @escaping @Sendable (FrontFixture) throws -> Result) async throws -> Result {
        try await self.loop.submit { try body(self) }.get()
    }

    /// Waits until something is so; the test's own time limit ends it otherwise.
    func until(_ condition: @escaping @Sendable (FrontFixture) -> Bool) async throws {
        while try await !self.onLoop(condition) { await Task.yield() }
    }

    func connect(reading: Bool = true) async throws -> RawClient {
        try await RawClient.connect(self.tcp, reading: reading)
    }

    func connectLocally() async throws -> RawClient { try await RawClient.connect(self.unix) }

    private static func start(
        _ directory: String, _ configuration: FrontConfiguration, _ loop: any EventLoop, _ sessionListens: Bool,
        _ stores: FrontStores?, _ answer: @escaping FakeSession.Answer
    ) async throws -> FrontFixture {
        let tcp = try TestSocket.listen(SocketAddress(ipAddress: "127.0.0.1", port: 0))
        let unix = try TestSocket.listen(SocketAddress(unixDomainSocketPath: directory + "/http.sock"))
        let session = try TestSocket.listen(SocketAddress(unixDomainSocketPath: configuration.sessionSocket))
        var pair: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0 else {
            throw IOError(errnoCode: errno, reason: "socketpair")
        }
        let ends = (pair[0], pair[1])
        let control = loop.makePromise(of: NIOLoopBound<LinkConnection>.self)
        let supervisor = try await loop.submit { NIOLoopBound(FakeSupervisor(), eventLoop: loop) }.get()
        let fake = try await loop.submit { NIOLoopBound(FakeSession(answer), eventLoop: loop) }.get()
        try await loop.flatSubmit {
            LinkConnection.adopt(descriptor: ends.0, first: true, on: loop) { supervisor.value.accept($0) }
        }.get()
        try await loop.flatSubmit {
            LinkConnection.adopt(descriptor: ends.1, first: false, on: loop) {
                control.succeed(NIOLoopBound($0, eventLoop: loop))
            }
        }.get()
        if sessionListens {
            try await loop.flatSubmit {
                LinkListener.listen(descriptor: session.descriptor, on: loop) { fake.value.accept($0) }.map { _ in }
            }.get()
        } else {
            Glibc.close(session.descriptor)
        }
        let link = try await control.futureResult.get()
        return try await loop.submit {
            let worker = FrontWorker(
                configuration: configuration,
                listeners: [
                    FrontListener(name: .http, descriptor: tcp.descriptor),
                    FrontListener(name: .local, descriptor: unix.descriptor),
                ],
                control: link.value, stores: stores, loop: loop,
                logger: Logger(label: "front") { _ in SwiftLogNoOpLogHandler() }
            )
            return FrontFixture(
                loop: loop, tcp: tcp.address, unix: unix.address, session: fake, supervisor: supervisor, worker: worker,
                configuration: configuration
            )
        }.get()
    }
}

/// A supervisor that answers each operation with what the test gave it. Confined to the event loop.
final class FakeSupervisor {
    private(set) var asked: [String] = []
    var answers: [String: (status: Int, body: String)] = [
        "health": (200, #"{"status":"ok","ok":true,"upstreams":[{"name":"demo","connected":true,"toolCount":3}]}"#),
        "servers": (200, #"{"servers":["demo"]}"#),
        "memory": (
            200,
            #"{"http":{"pssBytes":4096,"anonymousBytes":1024,"droppedLogRecords":7},"upstream@demo":{"pssBytes":8192}}"#
        ),
    ]

    func accept(_ link: LinkConnection) {
        link.onOpen = { [weak self] exchange in
            guard let self else { return }
            self.asked.append("\(exchange.header) \(exchange.payload.map { String(buffer: $0) } ?? "")")
            guard let answer = self.answers[exchange.header.string("op") ?? ""] else {
                return exchange.cancel(reason: "?")
            }
            exchange.end(header: .parse(#"{"st":\#(answer.status)}"#), payload: ByteBuffer(string: answer.body))
        }
    }
}

/// A listening socket, as a worker inherits one.
struct TestSocket {
    let descriptor: Int32
    let address: SocketAddress

    static func listen(_ address: SocketAddress) throws -> TestSocket {
        let family = address.protocol == .unix ? AF_UNIX : AF_INET
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        let bound = address.withSockAddr { Glibc.bind(descriptor, $0, socklen_t($1)) }
        guard bound == 0, Glibc.listen(descriptor, 4096) == 0 else { throw IOError(errnoCode: errno, reason: "listen") }
        guard family == AF_INET else { return TestSocket(descriptor: descriptor, address: address) }
        var name = sockaddr()
        var length = socklen_t(MemoryLayout<sockaddr>.size)
        getsockname(descriptor, &name, &length)
        let port = withUnsafeBytes(of: name) { Int($0[2]) << 8 | Int($0[3]) }
        return TestSocket(descriptor: descriptor, address: try SocketAddress(ipAddress: "127.0.0.1", port: port))
    }
}
