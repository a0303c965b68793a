import BridgeLog
import Glibc
import Logging
import Testing

@Suite("Log lines for people")
struct TextSinkTests {
    private func line(_ record: LogRecord, colors: TextColors = .off) -> String {
        TextSink.line(LogEntry(record), .people(colors))
    }

    @Test func `a line has time, level, label, message and metadata`() {
        #expect(
            self.line(
                record("Upstream connected", metadata: ["mcp.upstream": "github", "toolCount": .stringConvertible(3)]))
                == "[2026-07-28T09:05:03.007Z] INFO mcp-bridge.test: Upstream connected upstream=github toolCount=3\n"
        )
        #expect(self.line(record("x", level: .critical)) == "[2026-07-28T09:05:03.007Z] CRITICAL mcp-bridge.test: x\n")
    }

    @Test(arguments: [
        (Logger.Level.trace, "DEBUG"), (.debug, "DEBUG"), (.info, "INFO"), (.notice, "INFO"), (.warning, "WARNING"),
        (.error, "ERROR"), (.critical, "CRITICAL"),
    ])
    func `a gateway's line is Python's: level, logger, message`(level: Logger.Level, word: String) {
        let line = TextSink.line(
            LogEntry(record("Worker\nready", level: level, metadata: ["mcp.worker": "http"])), .gateway)
        #expect(line == "\(word): mcp_gateway.test: Worker\\nready worker=http\n")
    }

    @Test func `a token bridge's line has the level in Python's words, the request's id, and values whole`() {
        let text = String(repeating: "b", count: 5_000)
        let entry = LogEntry(
            record(
                "HTTP RX", level: .notice,
                metadata: [
                    "mcp.request_id": "1-2", "mcp.direction": "RX", "mcp.worker": "http", "body": "\(text)",
                ]))
        let plain = "HTTP RX body=\(text) direction=RX"
        #expect(
            TextSink.line(entry, .tokenBridge(.off)) == "[2026-07-28T09:05:03.007Z] INFO [1-2] \(plain)\n")
        #expect(
            TextSink.line(entry, .tokenBridge(.on))
                == "[2026-07-28T09:05:03.007Z] INFO \u{1B}[96m[1-2] \(plain)\u{1B}[0m\n")
        #expect(
            TextSink.line(LogEntry(record("x\ny")), .tokenBridge(.on)) == "[2026-07-28T09:05:03.007Z] INFO x\\ny\n")
    }

    @Test func `values that are not one plain word are quoted`() {
        let line = self.line(
            record("x", metadata: ["a": "two words", "b": "", "c": "q\"\\", "d": "e=f", "g": "ünïcode"]))
        #expect(line.hasSuffix(#": x a="two words" b="" c="q\"\\" d="e=f" g="ünïcode""# + "\n"))
    }

    @Test func `long values are cut`() {
        let line = self.line(record("x", metadata: ["a": "\(String(repeating: "b", count: 5_000))"]))
        #expect(line.hasSuffix("x a=\"" + String(repeating: "b", count: 1_024) + "…\"\n"))
    }

    @Test func `nothing in a record breaks its line or reaches the terminal as a command`() {
        let line = self.line(
            record("a\nb\r\u{1B}[31mc\u{9B}d\u{7F}\u{2028}", label: "l\n", metadata: ["k\n": "v\n\u{1B}]0;x\u{07}"])
        )
        #expect(line.hasSuffix(#" l\n: a\nb\r\u{1b}[31mc\u{9b}d\u{7f}\u{2028} k\n="v\n\u{1b}]0;x\u{7}""# + "\n"))
        #expect(line.unicodeScalars.filter { $0.value < 0x20 } == ["\n"])
    }

    @Test func `what was received is cyan, what was sent is magenta, and trouble is red`() {
        let received = self.line(record("x", metadata: ["mcp.direction": "RX"]), colors: .on)
        #expect(received.hasPrefix("\u{1B}[96m[") && received.hasSuffix("direction=RX\u{1B}[0m\n"))
        #expect(self.line(record("x", metadata: ["mcp.direction": "TX"]), colors: .on).hasPrefix("\u{1B}[95m["))
        #expect(self.line(record("x", level: .error), colors: .on).contains("] \u{1B}[31mERROR\u{1B}[0m mcp"))
        #expect(!self.line(record("x"), colors: .on).contains("\u{1B}"))
    }

    @Test(arguments: [
        ([:], true, TextColors.on), ([:], false, .off), (["TERM": "dumb"], true, .off),
        (["MCPTB_FORCE_COLOR": "1"], false, .on), (["MCPTB_FORCE_COLOR": "Yes"], false, .on),
        (["MCPTB_FORCE_COLOR": "0"], false, .off), (["MCPTB_NO_COLOR": "on"], true, .off),
        (["MCPTB_NO_COLOR": "0"], true, .on), (["MCPTB_NO_COLOR": "true", "MCPTB_FORCE_COLOR": "1"], true, .off),
        (["NO_COLOR": "1"], true, .off), (["NO_COLOR": ""], true, .on),
        (["NO_COLOR": "0", "MCPTB_FORCE_COLOR": "1"], true, .off),
    ])
    func `colours are for terminals, unless the environment says otherwise`(
        environment: [String: String],
        isTerminal: Bool,
        expected: TextColors
    ) {
        #expect(TextColors(environment: environment, isTerminal: isTerminal) == expected)
    }

    @Test func `lines are written when the batch ends`() throws {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        var sink = TextSink(descriptor: ends[1], form: .people(.off))
        sink.write(LogEntry(record("one")))
        sink.write(LogEntry(record("two")))
        sink.flush()
        sink.flush()
        var bytes = [UInt8](repeating: 0, count: 1_024)
        let count = read(ends[0], &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
        #expect(text == self.line(record("one")) + self.line(record("two")))
    }

    @Test func `a reader that has gone is no signal`() throws {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        close(ends[0])
        defer { close(ends[1]) }
        let pump = try LogPump(sinks: [TextSink(descriptor: ends[1], form: .people(.off))])
        pump.append(record("to nobody"))
        #expect(pump.stop(timeout: .seconds(30)))
    }
}
