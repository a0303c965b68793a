import BridgeCore
import BridgeFiles
import Glibc
import NIOCore
import Synchronization

/// Standard input and output, served by the thread that calls ``run(_:)``: it waits for lines, for room to write, and for
/// the event loop. Neither descriptor is made non-blocking: a terminal may share it with others.
final class StdioFront: StdioRelay.Output {
    private struct State {
        var backlog = StdioBacklog()
        var intake = StdioIntake()
        var isFinished = false

        var reads: Bool { self.intake.reads(unread: self.backlog.own) }
    }

    /// What a pipe or socket that is writable takes without waiting.
    private static let piece = 4_096

    private let input: Int32
    private let output: Int32
    private let notes: StdioNotes
    private let pipe: WakingPipe
    private let state = Mutex(State())

    init(input: Int32, output: Int32, notes: StdioNotes) throws {
        self.input = input
        self.output = output
        self.notes = notes
        self.pipe = try WakingPipe()
    }

    // On the event loop.

    func write(_ message: JSONText) { self.write(message, isOwn: false) }

    func answer(_ answer: ByteBuffer) { self.write(JSONText(trusting: answer), isOwn: true) }

    func changed(_ relay: StdioRelay) {
        let load = relay.load
        self.count(relay) { $0.changed(load) }
    }

    func finished() {
        self.state.withLock { $0.isFinished = true }
        self.pipe.wake()
    }

    /// Counts what is under way, and tells who waits for it to be less.
    private func count(_ relay: StdioRelay, _ count: (inout StdioIntake) -> Void) {
        let (turned, filled) = self.state.withLock { state in
            let before = state.reads
            count(&state.intake)
            return (state.reads != before, state.backlog.fills())
        }
        if turned { self.pipe.wake() }
        if filled { relay.read(false) }
    }

    private func write(_ message: JSONText, isOwn: Bool) {
        var line = ByteBuffer()
        line.reserveCapacity(message.count + 1)
        message.writeOnOneLine(to: &line)
        line.writeInteger(UInt8(ascii: "\n"))
        self.state.withLock { $0.backlog.append(line, isOwn: isOwn) }
        self.pipe.wake()
    }

    // On the thread.

    /// Until the client has closed its end and everything is answered, nobody reads any more, or one of these signals comes.
    func run(_ relay: NIOLoopBound<StdioRelay>, until signals: [Int32] = []) {
        if !signals.isEmpty { self.pipe.take(signals) }
        var lines = ClientLines()
        var rest = ByteBuffer()
        var (isOpen, isFinishing) = (true, false)
        // Nobody reads any more. The bridge is told so before this ends, or its session would live on.
        var isGone = false
        while true {
            // Before what is there is taken: a line that was refused is answered, and everything has been said only then.
            let reads = self.hand(&lines, isOpen: isOpen, relay)
            if !isOpen, reads, !isFinishing {
                isFinishing = true
                Self.act(relay) { $0.finish() }
            }
            let isFinished = self.state.withLock { $0.isFinished }
            if rest.readableBytes == 0 || isGone { rest = self.next(relay) }
            if isGone { rest.clear() }
            if isFinished, rest.readableBytes == 0 { return }
            let ready = self.wait(
                reads: isOpen && reads, writes: rest.readableBytes > 0, looksAtOutput: !isGone)
            if self.pipe.settle() != nil { Self.act(relay) { $0.leave() } }
            let isClosed = ready.output & Int16(POLLERR | POLLHUP | POLLNVAL) != 0
            if isClosed || (ready.output != 0 && !self.write(&rest)) {
                (isGone, isOpen, isFinishing) = (true, false, true)
                Self.act(relay) { $0.leave() }
                continue
            }
            guard ready.input != 0 else { continue }
            isOpen = self.read(&lines)
            if !isOpen { Self.act(relay) { $0.part() } }
        }
    }

    private func wait(reads: Bool, writes: Bool, looksAtOutput: Bool) -> (input: Int16, output: Int16) {
        // A negative descriptor is left out. Output is asked for nothing otherwise, and still tells when nobody reads.
        var waiting = [
            pollfd(fd: self.pipe.reading, events: Int16(POLLIN), revents: 0),
            pollfd(fd: reads ? self.input : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: looksAtOutput ? self.output : -1, events: writes ? Int16(POLLOUT) : 0, revents: 0),
        ]
        guard poll(&waiting, nfds_t(waiting.count), -1) > 0 else { return (0, 0) }
        return (waiting[1].revents, waiting[2].revents)
    }

    /// What is to be written next.
    private func next(_ relay: NIOLoopBound<StdioRelay>) -> ByteBuffer {
        let (output, wasFull, turned) = self.state.withLock { state in
            let before = state.reads
            let taken = state.backlog.take()
            return (taken.output, taken.wasFull, state.reads != before)
        }
        if turned { self.pipe.wake() }
        if wasFull { Self.act(relay) { $0.read(!self.state.withLock { $0.backlog.isFull }) } }
        return output
    }

    /// - Returns: false when nobody reads any more.
    private func write(_ bytes: inout ByteBuffer) -> Bool {
        let count = bytes.withUnsafeReadableBytes {
            Glibc.write(self.output, $0.baseAddress, min($0.count, Self.piece))
        }
        if count < 0 { return errno == EINTR || errno == EAGAIN }
        bytes.moveReaderIndex(forwardBy: count)
        return true
    }

    /// - Returns: false when the client has closed its end.
    private func read(_ lines: inout ClientLines) -> Bool {
        let count = lines.fill { Glibc.read(self.input, $0.baseAddress, $0.count) }
        return count < 0 ? errno == EINTR || errno == EAGAIN : count > 0
    }

    private static func act(_ relay: NIOLoopBound<StdioRelay>, _ act: @escaping @Sendable (StdioRelay) -> Void) {
        relay.eventLoop.execute { act(relay.value) }
    }
}

// Lines, on the thread.
extension StdioFront {
    /// Hands over the lines that are there, as far as there is room.
    ///
    /// - Returns: whether there is room for more.
    private func hand(_ lines: inout ClientLines, isOpen: Bool, _ relay: NIOLoopBound<StdioRelay>) -> Bool {
        while self.state.withLock({ $0.reads }) {
            guard let line = lines.next() ?? (isOpen ? nil : lines.rest()) else { return true }
            do throws(StdioMessage.Problem) {
                switch line {
                case .tooLong(let line): throw StdioMessage.tooLong(line, limit: ClientLines.maximumLength)
                case .complete(let bytes): self.take(try StdioMessage(bytes), relay)
                }
            } catch {
                guard case .refused(let words, let answers) = error else { continue }
                self.notes.say(words)
                for answer in answers { self.answer(answer) }
            }
        }
        return false
    }

    private func take(_ message: StdioMessage, _ relay: NIOLoopBound<StdioRelay>) {
        let isRequest = !message.requests.isEmpty
        guard self.state.withLock({ $0.intake.takes(message.octets, isRequest: isRequest) }) else {
            for request in message.requests {
                self.answer(Fault.overloaded.told(["what": StdioIntake.words]).reply(to: request.id.bytes))
            }
            if let rest = message.withoutRequests { self.take(rest, relay) }
            return
        }
        Self.act(relay) { relay in
            relay.received(message)
            let load = relay.load
            self.count(relay) { $0.arrived(message.octets, load) }
        }
    }
}
