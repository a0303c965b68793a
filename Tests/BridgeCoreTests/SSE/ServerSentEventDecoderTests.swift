import BridgeTesting
import NIOCore
import Testing

@testable import BridgeCore

@Suite("Server-sent event decoder") struct ServerSentEventDecoderTests {
    struct Example: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let stream: [UInt8]
        let events: [ServerSentEvent]

        init(_ description: String, _ stream: String, _ events: ServerSentEvent...) {
            self.testDescription = description
            self.stream = Array(stream.utf8)
            self.events = events
        }

        init(_ description: String, bytes: [UInt8], _ events: ServerSentEvent...) {
            self.testDescription = description
            self.stream = bytes
            self.events = events
        }
    }

    private static func event(
        _ data: String?, name: String = "message", id: String? = nil, retry: Int? = nil, isUnfinished: Bool = false
    ) -> ServerSentEvent {
        ServerSentEvent(
            name: name, data: data.map(ByteBuffer.init(string:)), id: id, retry: retry, isUnfinished: isUnfinished)
    }

    static let examples = [
        Example("one event", "data: {}\n\n", event("{}")),
        Example("two events", "data: a\n\ndata: b\n\n", event("a"), event("b")),
        Example("CR LF", "data: a\r\n\r\ndata: b\r\n\r\n", event("a"), event("b")),
        Example("CR", "data: a\r\rdata: b\r\r", event("a"), event("b")),
        Example(
            "line ends mixed", "data:a\n\r\ndata:b\r\n\rdata:c\r\n\ndata:d\r\n\r", event("a"), event("b"), event("c"),
            event("d")),
        Example("a byte order mark", "\u{FEFF}data: a\n\n", event("a")),
        Example("a second byte order mark belongs to its line", "\u{FEFF}\u{FEFF}data: a\n\ndata:b\n\n", event("b")),
        Example("data in several lines", "data: a\ndata:\ndata: b\n\n", event("a\n\nb")),
        Example("no data at all, and empty data", "data\n\ndata:\n\ndata: \n\n", event(""), event(""), event("")),
        Example("one space is taken away, and no second one", "data:  a \n\n", event(" a ")),
        Example(
            "a name before and behind", "event: e\ndata: a\n\ndata: b\nevent: f\n\ndata:c\n\n",
            event("a", name: "e"), event("b", name: "f"), event("c")),
        Example("an empty name", "event: e\nevent:\ndata: a\n\n", event("a")),
        Example("a name alone", "event: e\n\ndata: a\n\n", event("a")),
        Example(
            "an id, none and an empty one", "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
            event("a", id: "1"), event("b"), event("c", id: "")),
        Example("an id alone", "id: 7\n\n", event(nil, id: "7")),
        Example("an id with empty data", "id: 7\ndata:\n\n", event("", id: "7")),
        Example("an id with NUL", "id: 1\nid: a\0b\ndata: a\n\n", event("a", id: "1")),
        Example("retry", "retry: 1500\n\nretry: 0\ndata:\n\n", event(nil, retry: 1_500), event("", retry: 0)),
        Example("retry that is none", "retry: 1s\nretry: -1\nretry:\nretry: +1\nretry: 1.5\ndata:a\n\n", event("a")),
        Example(
            "retry of no end", "retry: 99999999999999999999999999\n\n", event(nil, retry: ServerSentEvent.maximumRetry)),
        Example("comments", ": hello\n\n:\ndata: a\n: more\ndata: b\n\n", event("a\nb")),
        Example(
            "unknown fields, and names in other letters", "x: 1\nData: a\n data: b\ndata : c\ndataset: d\ni: 1\n\n"),
        Example("colons in the data", "data:a:b\ndata::\n\n", event("a:b\n:")),
        Example("many blank lines", "\n\n\r\n\rdata: a\n\n\n\n", event("a")),
        Example("without the blank line", "data: a\nid: 1\n", event("a", id: "1", isUnfinished: true)),
        Example("without the line end", "id: 1\ndata: a", event("a", id: "1", isUnfinished: true)),
        Example("a line that was begun", "data: a\n\nda", event("a")),
        Example("nothing", ""),
        Example("a byte order mark alone", bytes: [0xEF, 0xBB, 0xBF]),
        Example("a part of a byte order mark", bytes: [0xEF, 0xBB] + Array("\ndata: a\n\n".utf8), event("a")),
        Example(
            "bytes that are no UTF-8", bytes: Array("data: ".utf8) + [0xFF, 0xC3, 10, 10],
            ServerSentEvent(data: ByteBuffer(bytes: [0xFF, 0xC3]))),
        Example(
            "a name and an id that are no UTF-8",
            bytes: Array("event:".utf8) + [0xFF, 10] + Array("id:".utf8) + [0xC3, 10, 10],
            event(nil, name: "\u{FFFD}", id: "\u{FFFD}")),
    ]

    @Test(arguments: Self.examples) func `reads the same events however the stream is cut`(example: Example) throws {
        let bytes = example.stream
        #expect(ReferenceEventStream.events(of: bytes) == example.events)
        #expect(try events(in: [bytes]) == example.events)
        #expect(try events(in: bytes.map { [$0] }) == example.events)
        for first in bytes.indices {
            for second in first..<bytes.count {
                let cut = pieces(of: bytes, at: [first, second])
                guard try events(in: cut) == example.events else {
                    Issue.record("cut at \(first) and \(second): \(try events(in: cut))")
                    return
                }
            }
        }
    }

    @Test(arguments: ["data:a\r\n\r\n\rid:1\n\n", "data\n\rdata\r", "\u{FEFF}data\r\r\n", "retry:9\r\r\n:\n"])
    func `reads the same events in every one of all ways to cut`(stream: String) throws {
        let bytes = Array(stream.utf8)
        let expected = ReferenceEventStream.events(of: bytes)
        for ways in 0..<(1 << (bytes.count - 1)) {
            let cuts = (1..<bytes.count).filter { ways & 1 << ($0 - 1) != 0 }
            guard try events(in: pieces(of: bytes, at: cuts)) == expected else {
                Issue.record("cut at \(cuts)")
                return
            }
        }
    }

    @Test func `an event that ends with CR does not wait for what follows`() throws {
        let processor = NIOSingleStepByteToMessageProcessor(ServerSentEventDecoder())
        var found: [ServerSentEvent] = []
        try processor.process(buffer: ByteBuffer(string: "data: a\r\r")) { found.append($0) }
        #expect(found == [ServerSentEvent(data: ByteBuffer(string: "a"))])
        try processor.process(buffer: ByteBuffer(string: "\ndata: b\n\n")) { found.append($0) }
        #expect(found.count == 2)
    }
}
