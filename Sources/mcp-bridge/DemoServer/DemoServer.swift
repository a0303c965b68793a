import BridgeCore
import BridgeFiles
import Glibc
import NIOCore

/// A small MCP server on stdio, in this executable so that there is always something to bridge.
///
/// One thread, one `poll`: it waits for input and for the next thing that a sleeping call has to say. Lines are
/// JSON-RPC messages; what is not one is refused with an error when an id can be told, and with a line on standard
/// error when not.
struct DemoServer {
    private let input: Int32
    private let output: Int32
    private let isEverything: Bool

    /// Reads and writes descriptors that stay the caller's.
    ///
    /// - Parameter isEverything: whether it has something of all that servers can have.
    init(input: Int32 = 0, output: Int32 = 1, isEverything: Bool = false) {
        self.input = input
        self.output = output
        self.isEverything = isEverything
    }

    /// Serves until the input ends or nobody reads the output any more. Calls that still sleep then are dropped.
    /// Throws what the descriptors report otherwise.
    func run() throws {
        var lines = ClientLines()
        var session = DemoSession(isEverything: self.isEverything)
        while true {
            guard try self.write(session.takeOutput()) else { return }
            switch try self.wait(until: session.nextDeadline) {
            case .time:
                session.advance(to: .now)
            case .input:
                let isOpen = try self.read(into: &lines)
                while let line = lines.next() ?? (isOpen ? nil : lines.rest()) {
                    self.serve(line, &session)
                    // What one line asks for must not wait for the next one, however many came at once.
                    guard try self.write(session.takeOutput()) else { return }
                }
                if !isOpen { return }
            case .nobodyListens:
                return
            }
        }
    }

    private func serve(_ line: ClientLines.Line, _ session: inout DemoSession) {
        switch line {
        case .complete(let bytes):
            do {
                try session.receive(bytes, now: .now)
            } catch {
                self.complain("\(error)")
            }
        case .tooLong:
            self.complain("a line above \(ClientLines.maximumLength) bytes was skipped")
        }
    }

    private func complain(_ text: String) {
        StandardStreams.error("mcp-bridge demo-server: \(text)\n")
    }
}

// MARK: System calls

extension DemoServer {
    private enum Event { case input, time, nobodyListens }

    private func wait(until deadline: SuspendingClock.Instant?) throws -> Event {
        while true {
            let timeout = deadline.map { DescriptorIO.milliseconds(until: $0) } ?? -1
            if timeout == 0 { return .time }
            // The output is asked for nothing, which still reports that its reader has gone.
            var descriptors = [
                pollfd(fd: self.input, events: Int16(POLLIN), revents: 0),
                pollfd(fd: self.output, events: 0, revents: 0),
            ]
            let count = poll(&descriptors, 2, timeout)
            if count < 0, errno != EINTR { throw SystemCallError("poll") }
            if count <= 0 { continue }
            if descriptors[0].revents != 0 { return .input }
            if descriptors[1].revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0 { return .nobodyListens }
        }
    }

    /// `false` at the end of the input.
    private func read(into lines: inout ClientLines) throws -> Bool {
        while true {
            let count = lines.fill { Glibc.read(self.input, $0.baseAddress, $0.count) }
            if count > 0 { return true }
            if count == 0 { return false }
            switch errno {
            case EINTR: continue
            case EAGAIN: return true
            default: throw SystemCallError("read")
            }
        }
    }

    /// Writes all of it. `false` when the reader has gone, unless `SIGPIPE` ended the process first.
    private func write(_ bytes: ByteBuffer) throws -> Bool {
        do throws(SystemCallError) {
            try DescriptorIO.write(bytes.readableBytesView, to: self.output)
            return true
        } catch {
            guard error.code == EPIPE else { throw error }
            return false
        }
    }
}
