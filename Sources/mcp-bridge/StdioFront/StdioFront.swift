import BridgeCore
import BridgeFiles
import Glibc
import NIOCore
import Synchronization

/// Standard input and output, served by the thread that calls ``run(_:)``: it waits for lines, for room to write, and for
/// the event loop. Neither descriptor is made non-blocking: a terminal may share it with others.
final class StdioFront: StdioRelay.Output {
    private struct State {
        var output: [ByteBuffer] = []
        /// Bytes in `output`.
        var octets = 0
        var isFinished = false
        /// Whether the relay has been told to wait.
        var isFull = false
        /// Whether so much is under way that no further line is read.
        var isBusy = false
    }

    /// Output that nobody has read, in bytes: beyond that the bridge is not read.
    private static let full = 8 << 20
    /// What may be under way, in lines and in bytes.
    private static let lines = 1_024
    private static let octets = 64 << 20
    /// What a pipe or socket that is writable takes without waiting.
    private static let piece = 4_096

    private let pipe: WakingPipe
    private let state = Mutex(State())

    init() throws { self.pipe = try WakingPipe() }

    // On the event loop.

    func write(_ message: JSONText) {
        var line = ByteBuffer()
        line.reserveCapacity(message.count + 1)
        message.writeOnOneLine(to: &line)
        line.writeInteger(UInt8(ascii: "\n"))
        self.state.withLock { state in
            state.output.append(line)
            state.octets += line.readableBytes
        }
        self.pipe.wake()
    }

    func changed(_ relay: StdioRelay) {
        let load = relay.load
        let isBusy = load.lines > Self.lines || load.octets > Self.octets
        let (turned, filled) = self.state.withLock { state in
            defer {
                state.isBusy = isBusy
                if state.octets > Self.full { state.isFull = true }
            }
            return (state.isBusy != isBusy, state.octets > Self.full && !state.isFull)
        }
        if turned { self.pipe.wake() }
        if filled { relay.read(false) }
    }

    func finished() {
        self.state.withLock { $0.isFinished = true }
        self.pipe.wake()
    }

    // On the thread.

    /// Until the client has closed its end and everything is answered, nobody reads any more, or a signal comes.
    func run(_ relay: NIOLoopBound<StdioRelay>) {
        self.pipe.take([SIGINT, SIGTERM])
        var lines = DemoLines()
        var rest = ByteBuffer()
        var isOpen = true
        while true {
            let (isFinished, isBusy) = self.state.withLock { ($0.isFinished, $0.isBusy) }
            if rest.readableBytes == 0 { rest = self.next(relay) }
            if isFinished, rest.readableBytes == 0 { return }
            let ready = self.wait(reads: isOpen && !isBusy, writes: rest.readableBytes > 0)
            if self.pipe.settle() != nil { Self.act(relay) { $0.leave() } }
            if ready.output & Int16(POLLERR | POLLHUP | POLLNVAL) != 0 { return Self.act(relay) { $0.leave() } }
            if ready.output != 0, !Self.write(&rest) { return Self.act(relay) { $0.leave() } }
            guard ready.input != 0 else { continue }
            isOpen = self.read(&lines, relay)
            if !isOpen { Self.act(relay) { $0.finish() } }
        }
    }

    private func wait(reads: Bool, writes: Bool) -> (input: Int16, output: Int16) {
        // A negative descriptor is left out. Output is asked for nothing otherwise, and still tells when nobody reads.
        var waiting = [
            pollfd(fd: self.pipe.reading, events: Int16(POLLIN), revents: 0),
            pollfd(fd: reads ? STDIN_FILENO : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: STDOUT_FILENO, events: writes ? Int16(POLLOUT) : 0, revents: 0),
        ]
        guard poll(&waiting, nfds_t(waiting.count), -1) > 0 else { return (0, 0) }
        return (waiting[1].revents, waiting[2].revents)
    }

    /// What is to be written next.
    private func next(_ relay: NIOLoopBound<StdioRelay>) -> ByteBuffer {
        let (output, isFull) = self.state.withLock { state in
            let output = state.output
            state.output = []
            state.octets = 0
            let wasFull = state.isFull
            state.isFull = false
            return (output, wasFull)
        }
        if isFull { Self.act(relay) { $0.read(true) } }
        guard var all = output.first else { return ByteBuffer() }
        for line in output.dropFirst() { all.writeImmutableBuffer(line) }
        return all
    }

    /// - Returns: false when nobody reads any more.
    private static func write(_ bytes: inout ByteBuffer) -> Bool {
        let count = bytes.withUnsafeReadableBytes {
            Glibc.write(STDOUT_FILENO, $0.baseAddress, min($0.count, Self.piece))
        }
        if count < 0 { return errno == EINTR || errno == EAGAIN }
        bytes.moveReaderIndex(forwardBy: count)
        return true
    }

    /// - Returns: false when the client has closed its end.
    private func read(_ lines: inout DemoLines, _ relay: NIOLoopBound<StdioRelay>) -> Bool {
        let count = lines.fill { Glibc.read(STDIN_FILENO, $0.baseAddress, $0.count) }
        if count < 0 { return errno == EINTR || errno == EAGAIN }
        while let line = lines.next() {
            switch line {
            case .tooLong: StdioNotes.say("a line above \(DemoLines.maximumLength) bytes was skipped")
            case .complete(let bytes): Self.act(relay) { $0.received(bytes) }
            }
        }
        return count > 0
    }

    private static func act(_ relay: NIOLoopBound<StdioRelay>, _ act: @escaping @Sendable (StdioRelay) -> Void) {
        relay.eventLoop.execute { act(relay.value) }
    }
}
