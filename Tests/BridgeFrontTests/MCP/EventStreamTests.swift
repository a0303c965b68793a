import NIOCore
import Testing

@testable import BridgeFront

@Suite("Event stream") struct EventStreamTests {
    private static func event(_ message: String, id: String? = nil) -> String {
        var buffer = ByteBuffer()
        EventStream.write(message: ByteBuffer(string: message), id: id, to: &buffer)
        return String(buffer: buffer)
    }

    @Test func `a message is one event`() {
        #expect(Self.event(#"{"a":1}"#, id: "s/1") == "id: s/1\nevent: message\ndata: {\"a\":1}\n\n")
        #expect(Self.event("{}") == "event: message\ndata: {}\n\n")
    }

    @Test(arguments: ["\n", "\r", "\r\n"])
    func `each line of a message is a data line of its own`(end: String) {
        #expect(Self.event("{\(end) \"a\":1\(end)}") == "event: message\ndata: {\ndata:  \"a\":1\ndata: }\n\n")
        #expect(Self.event("{\(end)\(end)}") == "event: message\ndata: {\ndata: \ndata: }\n\n")
    }

    @Test func `an id cannot end its line`() {
        #expect(Self.event("{}", id: "a\ndata: evil") == "event: message\ndata: {}\n\n")
        #expect(Self.event("{}", id: "a\u{0}") == "event: message\ndata: {}\n\n")
    }

    @Test func `the first event may be empty`() {
        var buffer = ByteBuffer()
        EventStream.write(primeWithID: "7", retry: 500, to: &buffer)
        #expect(String(buffer: buffer) == "id: 7\nretry: 500\ndata: \n\n")
    }
}
