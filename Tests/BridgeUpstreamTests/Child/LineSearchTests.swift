import BridgeConfiguration
import BridgeCore
import BridgeTesting
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Messages in lines") struct LineSearchTests {
    private static let reader = ChildLineReader(maximumOctets: 64 << 20, errors: .strict)
    private static let answer = #"{"jsonrpc":"2.0","id":7,"result":{"text":"a {[ b"}}"#
    private static let note = #"{"jsonrpc":"2.0","method":"notifications/x"}"#
    private static let invisible = [
        "\u{FEFF}", " ", "\t", "\r", "\u{1B}[31m", "\u{1B}[2K", "\u{1B}[0m", "\u{1B}]0;npx\u{7}", "\u{1B}[?25l",
    ]
    private static let visible = [
        "50%", "[INFO]", "[12:00]", "> ", "{starting}", "Working… ", "[=>   ]", "{}", "[1]", #"{"level":30}"#, "\u{0}",
        #"["a",{"b":[]}]"#, "}", "]", #"""#, "\\", "é", "null", "{{", "[[",
    ]

    private static func read(_ text: String) -> ChildLineReader.Reading {
        Self.reader.read(.whole(.init(string: text)))
    }
    private static func text(_ string: String) -> JSONText { JSONText(trusting: ByteBuffer(string: string)) }

    private static func some(_ parts: [String], _ range: ClosedRange<Int>, _ random: inout SeededRandom) -> String {
        (0..<Int.random(in: range, using: &random)).map { _ in parts.randomElement(using: &random) ?? "" }.joined()
    }

    @Test func `what no terminal shows is taken off, and the message counts in full`() {
        var random = SeededRandom(seed: 1)
        for _ in 0..<400 {
            let message = Bool.random(using: &random) ? Self.answer : Self.note
            let line = Self.some(Self.invisible, 0...5, &random) + message + Self.some(Self.invisible, 0...3, &random)
            #expect(Self.read(line) == .message(Self.text(message)), "\(line.debugDescription)")
        }
    }

    @Test func `several messages on a line are several messages`() {
        var random = SeededRandom(seed: 2)
        let messages = [Self.answer, Self.note, "[\(Self.note),\(Self.answer)]"]
        for _ in 0..<200 {
            let these = (0..<Int.random(in: 2...9, using: &random)).map { _ in
                messages.randomElement(using: &random) ?? ""
            }
            let line = these.map { Self.some(Self.invisible, 0...2, &random) + $0 }.joined()
            #expect(Self.read(line) == .messages(these.map(Self.text)), "\(line.debugDescription)")
        }
    }

    /// Whatever stands before or behind them, as long as there are no more places to try than a few.
    @Test func `with other text on the line they are only found`() {
        var random = SeededRandom(seed: 3)
        let behind = Self.visible.filter { $0 != "]" && $0 != "}" }
        for _ in 0..<400 {
            let shown = behind.randomElement(using: &random) ?? ""
            var parts = [Self.some(Self.invisible, 0...2, &random), Self.answer, Self.some(behind, 0...2, &random)]
            parts.insert(shown, at: Int.random(in: 1...2, using: &random))
            if parts[1] == shown { parts.insert(Self.some(Self.visible + Self.invisible, 0...3, &random), at: 2) }
            let line = parts.joined()
            guard case .unreadable(let what) = Self.read(line) else {
                Issue.record("counts in full: \(line.debugDescription)")
                continue
            }
            #expect(what.found.contains(Self.text(Self.answer)), "\(line.debugDescription)")
            #expect(what.bytes == ByteBuffer(string: line))
        }
    }

    @Test(arguments: [
        #"{"a":"\#(Self.answer)"#, #"{"a" {"jsonrpc":"2.0","id":7,"result":{}}"#,
        #"[{"a":{"jsonrpc":"2.0","id":7,"result":{}}"#, "\u{FEFF}{\"a\":b \(Self.answer)",
    ])
    func `a line that is JSON from its first byte is never searched inside`(line: String) {
        guard case .unreadable(let what) = Self.read(line) else {
            Issue.record("a message")
            return
        }
        #expect(what.found.isEmpty)
        #expect(what.reason.hasPrefix("not acceptable JSON"))
    }

    @Test func `within a text that was found nothing is looked for`() {
        guard case .unreadable(let what) = Self.read(#"say {"a":\#(Self.answer)} and \#(Self.note)"#) else {
            Issue.record("a message")
            return
        }
        #expect(what.found == [Self.text(#"{"a":\#(Self.answer)}"#), Self.text(Self.note)])
    }

    @Test func `what cannot be saved amid text is told where it is an answer`() {
        for (line, expected) in [
            (#"50% {"jsonrpc":"2.0","id":7,"result":{]"#, true), (#"50% {"id":7,"result":{]"#, false),
            (#"50% {"jsonrpc":"2.0","id":7,"method":"ping",]"#, false), (#"[{"id":7,"result":{}},]"#, true),
        ] {
            guard case .unreadable(let what) = Self.read(line) else { continue }
            #expect((what.fragment != nil) == expected)
        }
    }

    @Test func `only the first places in the first bytes of text are tried`() {
        func isFound(_ line: String) -> Bool {
            guard case .unreadable(let what) = Self.read(line) else { return false }
            return what.found.last == Self.text(Self.answer)
        }
        #expect(isFound(String(repeating: "[ ", count: 15) + Self.answer))
        #expect(!isFound(String(repeating: "[ ", count: 16) + Self.answer))
        #expect(isFound(String(repeating: "x", count: 4_095) + Self.answer))
        #expect(!isFound(String(repeating: "x", count: 4_096) + Self.answer))
        #expect(
            isFound(String(repeating: "\u{1B}[32m#\u{1B}[0m", count: 100) + Self.answer),
            "brackets of escape sequences are no places")
    }

    @Test func `bytes that are not UTF-8 are mended amid other text, too`() {
        let mending = ChildLineReader(maximumOctets: 1_000, errors: .replace)
        var line = ByteBuffer(bytes: [0xE9, 0x20])
        line.writeString(#"{"jsonrpc":"2.0","id":7,"result":{"a":""#)
        line.writeBytes([0xE9])
        line.writeString(#""}}"#)
        guard case .unreadable(let what) = mending.read(.whole(line)) else {
            Issue.record("a message")
            return
        }
        #expect(what.found.map(\.description) == ["{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"a\":\"\u{FFFD}\"}}"])
    }
}

/// What is looked at is counted, and not timed.
@Suite("The cost of lines") struct LineCostTests {
    private static let size = 1 << 14

    @Test func `a line that is a message is looked at once`() {
        let text = #"{"jsonrpc":"2.0","id":7,"result":{"text":""# + String(repeating: "x", count: Self.size) + #""}}"#
        #expect(Self.octets(text) == text.utf8.count)
    }

    /// Built to be read again and again.
    @Test(arguments: [
        ("", "["), ("", "[{\"a\":"), ("", "{\"a\":"), ("", "{\"a\":["), ("x", "["), ("x", "{"), ("x", "{\"a\":"),
        ("", "{}"), ("", "[]"), ("", " "), ("", "\u{FEFF}"), ("", "\u{1B}[0m"), ("", "\u{1B}]"), ("", "\u{1B}"),
        ("x {\"a\":\"", "y"), ("{\"a\":\"", "y"), ("x [[[[[[[[[[[[[[[[\"", "y"),
        ("x" + String(repeating: "[ \"a\", ", count: 16), " 1,"),
        (String(repeating: "[1,", count: 16) + "\"", "y"), ("{\"result\":{\"a\":\"", "y"), ("{\"result\":", "[1,"),
        ("x {\"jsonrpc\":\"2.0\",\"result\":", "[1,"), (String(repeating: "x{\"result\":[", count: 16), "1,"),
        ("x " + String(repeating: "{\"a\":{\"b\":", count: 8), "\"c\", "),
        ("", "{\"jsonrpc\":\"2.0\",\"method\":\"\"}"),
        ("", "{\"jsonrpc\":\"2.0\",\"method\":\"\"} x"), ("", "\u{0}"), ("[", "{\"jsonrpc\":\"2.0\",\"method\":\"\"},"),
        ("x", " "), ("{\"id\":1,\"method\":\"m\",\"params\":", "{\"a\":"),
    ])
    func `no line is looked at more than three times`(beginning: String, part: String) {
        let text = beginning + String(repeating: part, count: Self.size / part.utf8.count)
        for line in [text, text + "\"}}]", "\u{FEFF}" + text] {
            #expect(Self.octets(line) <= max(3 * line.utf8.count, LineSearch.smallestAllowance))
        }
    }

    @Test func `nor is any line that chance makes`() {
        var random = SeededRandom(seed: 4)
        let parts = [
            "{", "[", "\"", "}", "]", ":", ",", "1", "{\"a\":", "[\"a\",", " ", "x", "\u{1B}[", "\u{FEFF}",
            "{\"jsonrpc\":\"2.0\",\"method\":\"m\"}", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{", "\\", "é",
        ]
        for _ in 0..<300 {
            let line = (0..<Int.random(in: 1...900, using: &random)).map { _ in
                parts.randomElement(using: &random) ?? ""
            }
            .joined()
            #expect(
                Self.octets(line) <= max(3 * line.utf8.count, LineSearch.smallestAllowance), "\(line.debugDescription)")
        }
    }

    @Test func `mending counts as well`() {
        var line = ByteBuffer(string: #"{"jsonrpc":"2.0","id":7,"result":{"text":""#)
        line.writeRepeatingByte(0xE9, count: Self.size)
        line.writeString(#""}}"#)
        let mending = ChildLineReader(maximumOctets: 64 << 20, errors: .replace)
        #expect(mending.read(line).octets <= 8 * line.readableBytes, "it is three times as long by then")
    }

    private static func octets(_ text: String) -> Int {
        ChildLineReader(maximumOctets: 64 << 20, errors: .strict).read(ByteBuffer(string: text)).octets
    }
}
