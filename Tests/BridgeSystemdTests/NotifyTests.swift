import BridgeSystemd
import Glibc
import Testing

/// Both ends of the notification protocol against each other.
@Suite("Notifications between two processes", .timeLimit(.minutes(1)))
struct NotifyTests {
    @Test func `what one end sends the other sees, with the sender's own process id`() throws {
        let folder = try TemporaryFolder()
        let receiver = try NotifyReceiver(path: folder.file("notify"))
        let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET": receiver.path])

        #expect(notifier.send(.ready, .status("2/3 upstreams ready")) == nil)
        #expect(notifier.send(.watchdog) == nil)
        #expect(notifier.send(.reloading) == nil)
        #expect(notifier.send(.stopping, .extendTimeout(.milliseconds(1_500))) == nil)

        let got = receiver.receive()
        try #require(got.count == 4)
        #expect(got.allSatisfy { $0.pid == getpid() && $0.uid == getuid() })
        #expect(got[0].isReady && got[0].fields["STATUS"] == "2/3 upstreams ready" && !got[0].isWatchdog)
        #expect(got[1].isWatchdog && !got[1].isReady)
        #expect(got[2].fields["RELOADING"] == "1")
        #expect((got[2].fields["MONOTONIC_USEC"].flatMap { UInt64($0) } ?? 0) > 0)
        #expect(got[3].isStopping && got[3].fields["EXTEND_TIMEOUT_USEC"] == "1500000")
        #expect(receiver.receive().isEmpty)
    }

    @Test func `an abstract socket works as a path does`() throws {
        let receiver = try NotifyReceiver(path: "@mcpb-test-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        #expect(ServiceNotifier(socket: receiver.path).send(.ready) == nil)
        #expect(receiver.receive().map(\.isReady) == [true])
    }

    @Test func `the socket is its owner's alone, and a leftover one is replaced`() throws {
        let folder = try TemporaryFolder()
        let former = try NotifyReceiver(path: folder.file("notify"))
        let receiver = try NotifyReceiver(path: folder.file("notify"))
        var status = stat()
        #expect(stat(receiver.path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        #expect(fcntl(receiver.descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(receiver.descriptor, F_GETFL) & O_NONBLOCK != 0)

        ServiceNotifier(socket: receiver.path).send(.ready)
        #expect(former.receive().isEmpty)
        #expect(receiver.receive().count == 1)
    }

    @Test func `a file that is no socket is not replaced`() throws {
        let folder = try TemporaryFolder()
        try folder.write([1], to: "notify")
        #expect(throws: SystemdError.self) { try NotifyReceiver(path: folder.file("notify")) }
        var status = stat()
        #expect(stat(folder.file("notify"), &status) == 0 && status.st_size == 1)
    }

    @Test func `descriptors that come along are closed`() throws {
        let folder = try TemporaryFolder()
        let receiver = try NotifyReceiver(path: folder.file("notify"))
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        do {
            let store = try ServiceNotifier.Notice.storing(name: "http", [ends[1], ends[1]], polled: false)
            // What is to be sent is not the caller's descriptor any more.
            close(ends[1])
            #expect(store.map { ServiceNotifier(socket: receiver.path).send($0) } == [nil])
        }

        // The copies under way keep the pipe open; when they are closed, its reader sees the end.
        var waiting = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
        #expect(poll(&waiting, 1, 0) == 0)
        let got = receiver.receive()
        #expect(got.map(\.fields) == [["FDSTORE": "1", "FDNAME": "http", "FDPOLL": "0"]])
        #expect(poll(&waiting, 1, 60_000) == 1 && waiting.revents & Int16(POLLHUP) != 0)
    }

    @Test func `more descriptors than one message carries go in several`() throws {
        let folder = try TemporaryFolder()
        let receiver = try NotifyReceiver(path: folder.file("notify"))
        let notifier = ServiceNotifier(socket: receiver.path)
        let notices = try ServiceNotifier.Notice.storing(name: "many", [Int32](repeating: 0, count: 300))
        #expect(notices.map { notifier.send($0) } == [nil, nil])
        #expect(receiver.receive().map { $0.fields["FDNAME"] } == ["many", "many"])
        #expect(notifier.send(.removeStored(name: "many")) == nil)
        #expect(receiver.receive().map(\.fields) == [["FDSTOREREMOVE": "1", "FDNAME": "many"]])
    }

    @Test func `datagrams that are too long or garbage are dropped, and the next one is not`() throws {
        let folder = try TemporaryFolder()
        let receiver = try NotifyReceiver(path: folder.file("notify"))
        let sender = RawSender(path: receiver.path)
        sender.send(Array("READY=1\nX=".utf8) + [UInt8](repeating: 0x61, count: NotifyReceiver.maximumSize))
        sender.send([])
        sender.send([0xFF, 0xFE, 0x00, 0x41])
        sender.send(Array("READY=1\nX=".utf8) + [UInt8](repeating: 0x61, count: NotifyReceiver.maximumSize - 10))
        #expect(receiver.receive().map(\.isReady) == [true])
    }

    @Test func `one call reads no more than its limit`() throws {
        let folder = try TemporaryFolder()
        let receiver = try NotifyReceiver(path: folder.file("notify"))
        let notifier = ServiceNotifier(socket: receiver.path)
        for _ in 0..<5 { notifier.send(.watchdog) }
        #expect(receiver.receive(limit: 3).count == 3)
        #expect(receiver.receive().count == 2)
    }

    /// Time is the subject here: each of these would wait 100 ms or more if it waited at all.
    @Test func `a receiver that does not read holds nothing up`() throws {
        let folder = try TemporaryFolder()
        let receiver = try NotifyReceiver(path: folder.file("notify"))
        let notifier = ServiceNotifier(socket: receiver.path)
        var obstacle: SystemdError?
        for _ in 0..<10_000 where obstacle == nil { obstacle = notifier.send(.watchdog) }
        #expect(obstacle?.errorNumber == EAGAIN)
        let start = SuspendingClock.now
        for _ in 0..<100 {
            #expect(notifier.send(.watchdog) != nil)
            #expect(notifier.send(.ready) != nil)
        }
        #expect(SuspendingClock.now - start < .seconds(5))
        #expect(!receiver.receive().isEmpty)
        #expect(notifier.send(.ready) == nil)
    }

    @Test func `without a receiver nothing is sent`() throws {
        let folder = try TemporaryFolder()
        #expect(ServiceNotifier(environment: [:]).send(.ready) == nil)
        #expect(ServiceNotifier(socket: "").send(.removeStored(name: "a")) == nil)
        let gone = ServiceNotifier(socket: folder.file("gone")).send(.ready)
        #expect(gone == SystemdError(.notification, "Cannot notify the service manager", errorNumber: ENOENT))
        for address in ["relative/path", "@", "/" + String(repeating: "x", count: 108)] {
            #expect(ServiceNotifier(socket: address).send(.ready)?.code == .address)
        }
    }

    @Test func `a name that the descriptor store refuses is not sent`() throws {
        let folder = try TemporaryFolder()
        let receiver = try NotifyReceiver(path: folder.file("notify"))
        let bad = "a\nREADY=1"
        for notice in try ServiceNotifier.Notice.storing(name: bad, [0]) + [.removeStored(name: bad)] {
            #expect(ServiceNotifier(socket: receiver.path).send(notice)?.code == .name)
        }
        #expect(receiver.receive().isEmpty)
    }

    @Test func `a status stays one line of bounded length`() throws {
        let folder = try TemporaryFolder()
        let receiver = try NotifyReceiver(path: folder.file("notify"))
        let notifier = ServiceNotifier(socket: receiver.path)
        notifier.send(.status("a\nREADY=1\r\u{0}b"))
        notifier.send(.status(String(repeating: "ä", count: 4_000)))
        let got = receiver.receive()
        try #require(got.count == 2)
        #expect(got[0].fields == ["STATUS": "a READY=1  b"])
        #expect(got[1].fields["STATUS"] == String(repeating: "ä", count: 512))
    }

    @Test func `one socket serves a process and finds a receiver that took another's place`() throws {
        let folder = try TemporaryFolder()
        let former = try NotifyReceiver(path: folder.file("notify"))
        let notifier = ServiceNotifier(socket: former.path)
        #expect(notifier.send(.ready) == nil)
        for _ in 0..<5 { #expect(notifier.send(.watchdog) == nil) }
        former.close()
        #expect(notifier.send(.ready)?.errorNumber == ENOENT)
        let receiver = try NotifyReceiver(path: folder.file("notify"))
        #expect(notifier.send(.stopping) == nil)
        #expect(receiver.receive().map(\.isStopping) == [true])
    }

    @Test func `closing removes the path`() throws {
        let folder = try TemporaryFolder()
        let receiver = try NotifyReceiver(path: folder.file("notify"))
        receiver.close()
        #expect(access(receiver.path, F_OK) != 0)
    }
}

/// Sends bytes as they are.
private struct RawSender {
    let path: String

    func send(_ bytes: [UInt8]) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(self.path.utf8)) }
        let sent = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(sent == bytes.count)
    }
}
