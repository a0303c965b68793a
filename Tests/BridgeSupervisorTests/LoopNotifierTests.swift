import BridgeSystemd
import Foundation
import Glibc
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import BridgeSupervisor

@Suite("Notifications from an event loop", .timeLimit(.minutes(1))) struct LoopNotifierTests {
    /// A receiver that does not read, and whose queue is full.
    private static func fullReceiver() throws -> NotifyReceiver {
        let receiver = try NotifyReceiver(path: "@mcpb-loop-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        let notifier = ServiceNotifier(socket: receiver.path)
        while notifier.send(.status("full")) == nil {}
        return receiver
    }

    @Test func `what a full queue did not take is told once there is room, in order and once`() async throws {
        let receiver = try Self.fullReceiver()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let notifier = try await loop.submit {
            let notifier = LoopNotifier(ServiceNotifier(socket: receiver.path), on: loop)
            notifier.send(.ready, .status("up"))
            notifier.send(.watchdog)
            notifier.send(.stopping)
            return NIOLoopBound(notifier, eventLoop: loop)
        }.get()
        var told: [NotifyReceiver.Notification] = []
        while !told.contains(where: \.isWatchdog), !Task.isCancelled {
            var waiting = pollfd(fd: receiver.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&waiting, 1, 100)
            told += receiver.receive().filter { $0.fields["STATUS"] != "full" }
        }
        let expected = [["READY": "1", "STATUS": "up"], ["STOPPING": "1"], ["WATCHDOG": "1"]]
        #expect(told.map(\.fields) == expected)
        try await loop.submit { _ = notifier.value }.get()
    }

    @Test func `what still waits at the end is tried once more, whenever the next attempt would be due`() throws {
        let receiver = try Self.fullReceiver()
        let loop = EmbeddedEventLoop()
        let notifier = LoopNotifier(ServiceNotifier(socket: receiver.path), on: loop)
        notifier.send(.stopping, .status("the end"))
        _ = receiver.receive(limit: 1_024)
        // No time passes on this loop: its timers are never due.
        notifier.sendLastWords()
        #expect(receiver.receive().map(\.fields) == [["STOPPING": "1", "STATUS": "the end"]])
        notifier.sendLastWords()
        #expect(receiver.receive().isEmpty)
    }

    @Test func `what can never be sent holds nothing up`() async throws {
        let receiver = try NotifyReceiver(path: "@mcpb-loop-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        try await loop.submit {
            let notifier = LoopNotifier(ServiceNotifier(socket: receiver.path), on: loop)
            notifier.post([.removeStored(name: "a\nb"), .messages([.ready])])
        }.get()
        #expect(receiver.receive().map(\.isReady) == [true])
    }

    @Test func `a receiver that comes back is told`() async throws {
        let path = "@mcpb-loop-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let notifier = try await loop.submit {
            let notifier = LoopNotifier(ServiceNotifier(socket: path), on: loop)
            notifier.send(.ready)
            return NIOLoopBound(notifier, eventLoop: loop)
        }.get()
        let receiver = try NotifyReceiver(path: path)
        var told: [NotifyReceiver.Notification] = []
        while told.isEmpty, !Task.isCancelled {
            var waiting = pollfd(fd: receiver.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&waiting, 1, 100)
            told += receiver.receive()
        }
        #expect(told.map(\.isReady) == [true])
        try await loop.submit { _ = notifier.value }.get()
    }
}
