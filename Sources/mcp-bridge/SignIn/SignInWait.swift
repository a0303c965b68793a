import ArgumentParser
import BridgeCore
import BridgeMCP
import FoundationEssentials
import Glibc
import NIOCore
import Synchronization

/// Waits until a sign-in is over, and takes what a person pastes meanwhile. Whichever is first counts. Ctrl-C gives it up.
struct SignInWait {
    let client: AuthClient
    let name: String
    /// In seconds since 1970.
    let until: Int
    private let pipe: WakingPipe

    private static let signals = [SIGINT, SIGTERM]

    private final class Outcome: Sendable {
        let answer = Mutex<Result<OAuthAnswer, any Error>?>(nil)
    }

    /// Takes the signals at once.
    init(client: AuthClient, name: String, until: Int) throws {
        self.client = client
        self.name = name
        self.until = until
        self.pipe = try WakingPipe()
        self.pipe.take(Self.signals)
    }

    func run() throws -> OAuthAnswer {
        let pipe = self.pipe
        defer { WakingPipe.release(Self.signals) }
        let outcome = Outcome()
        let left = max(1, self.until - Int(Date().timeIntervalSince1970))
        // The service says itself when the time is up; this is for one that does not.
        self.client.wait(for: self.name, atMost: .seconds(Int64(left + 60))) { result in
            outcome.answer.withLock { $0 = result }
            pipe.wake()
        }
        var input = PastedLines()
        while true {
            var waiting = [pollfd(fd: pipe.reading, events: Int16(POLLIN), revents: 0)]
            if input.isOpen { waiting.append(pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)) }
            guard poll(&waiting, nfds_t(waiting.count), -1) > 0 else { continue }
            if pipe.settle() != nil { throw try self.giveUp() }
            if let result = outcome.answer.withLock({ $0 }) { return try self.read(result) }
            guard waiting.count > 1, waiting[1].revents != 0 else { continue }
            for line in input.read() {
                let answer = try self.client.ask(.redirect(query: line), of: self.name)
                if answer.isDone { return answer }
                StandardStreams.error(PrintableText.line(answer.text, limit: 2_000) + "\n")
            }
        }
    }

    private func read(_ result: Result<OAuthAnswer, any Error>) throws -> OAuthAnswer {
        do {
            return try result.get()
        } catch {
            return OAuthAnswer(isDone: false, text: "the service has not said how the sign-in ended: \(error)")
        }
    }

    private func giveUp() throws -> ExitCode {
        _ = try? self.client.ask(.cancel, of: self.name)
        StandardStreams.error("mcp-bridge: given up\n")
        return ExitCode(130)
    }
}

/// What comes on standard input, line by line.
private struct PastedLines {
    private(set) var isOpen = true
    private var typed: [UInt8] = []

    /// Lines that are not empty.
    mutating func read() -> [String] {
        var room = [UInt8](repeating: 0, count: 16_384)
        let count = Glibc.read(STDIN_FILENO, &room, room.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return [] }
        self.isOpen = count > 0
        self.typed += count > 0 ? Array(room[..<count]) : Array("\n".utf8)
        var lines: [String] = []
        while let end = self.typed.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: self.typed[..<end], as: UTF8.self).filter { !$0.isWhitespace }
            if !line.isEmpty { lines.append(line) }
            self.typed.removeFirst(end + 1)
        }
        return lines
    }
}
