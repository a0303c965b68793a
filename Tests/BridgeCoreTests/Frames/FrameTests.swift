import NIOCore
import Testing

@testable import BridgeCore

@Suite("Frames") struct FrameTests {
    /// Every kind, with and without each of the members that a frame may have.
    static let samples: [Frame] = Frame.Kind.allCases.flatMap { kind -> [Frame] in
        let window = kind == .credit ? (messages: 31, octets: 524_288) : (messages: 0, octets: 0)
        let headers = ["", "{}", #"{"op":"call","a":{"b":"}{\"\\"},"c":[1,{}]}"#, #"{"é":"\u007d\\"}"#]
        let payloads = [nil, "null", "1", #"{"jsonrpc":"2.0", "id" : 1e2,"x":"}\"," }"#, "[{},[],\"]\"]"]
        let numbers: [UInt32?] = [nil, 0, 7, .max]
        return headers.flatMap { header in
            payloads.flatMap { payload in
                numbers.map { bulk in
                    Frame(
                        kind, exchange: bulk.map { $0 == .max ? Frame.maximumExchange : UInt64($0) } ?? 1, bulk: bulk,
                        messages: window.messages, octets: window.octets,
                        header: ByteBuffer(string: header), payload: payload.map { ByteBuffer(string: $0) }
                    )
                }
            }
        }
    }

    static func object(_ frame: Frame) -> ByteBuffer {
        var buffer = ByteBuffer()
        frame.encode(into: &buffer)
        buffer.moveReaderIndex(forwardBy: 4)
        return buffer
    }

    @Test func `read back as they were written, whatever their kind and members`() throws {
        for frame in Self.samples {
            #expect(try Frame(parsing: Self.object(frame)) == frame, "\(frame)")
        }
    }

    @Test func `are one JSON object each, behind its length`() throws {
        for frame in Self.samples {
            var buffer = ByteBuffer()
            frame.encode(into: &buffer)
            let length = buffer.readInteger(as: UInt32.self)
            #expect(length == UInt32(buffer.readableBytes))
            let text = try JSONText(validating: buffer)
            #expect(text.kind == .object)
            #expect(text.string("k") == "\(frame.kind)")
        }
    }

    @Test func `are appended behind what the buffer holds`() throws {
        var buffer = ByteBuffer(string: "before")
        Frame(.end, exchange: 9, payload: ByteBuffer(string: "true")).encode(into: &buffer)
        let before = buffer.readString(length: 6)
        let length = buffer.readInteger(as: UInt32.self)
        #expect(before == "before")
        #expect(length == UInt32(buffer.readableBytes))
        #expect(String(buffer: buffer) == #"{"k":"end","x":9,"m":true}"#)
    }

    @Test func `have their payload last, every byte of it untouched`() throws {
        let payload = #"{ "b" : 1.50, "a":"\u00e9é", "a" : [ ] ,"z":-0e+0}"#
        let object = Self.object(
            Frame(
                .message, exchange: 3, header: ByteBuffer(string: #"{"t":"x"}"#), payload: ByteBuffer(string: payload))
        )
        #expect(String(buffer: object) == #"{"k":"message","x":3,"h":{"t":"x"},"m":"# + payload + "}")
        #expect(try Frame(parsing: object).payload == ByteBuffer(string: payload))
    }

    @Test func `can leave the payload's bytes to be written apart`() {
        let payload = ByteBuffer(string: #"{"big":true}"#)
        let frame = Frame(.end, exchange: 5, header: ByteBuffer(string: "{}"), payload: payload)
        var whole = ByteBuffer()
        frame.encode(into: &whole)
        var parts = ByteBuffer()
        frame.encode(into: &parts, inlinePayload: false)
        parts.writeImmutableBuffer(payload)
        parts.writeImmutableBuffer(Frame.tail)
        #expect(parts == whole)
    }

    @Test func `can have their payload appended by whoever has it`() {
        for header in ["", #"{"st":200}"#] {
            for payload in ["1", #"{"id":1,"result":{}}"#, String(repeating: "[],", count: 1_000)] {
                let frame = Frame(.end, exchange: 5, header: ByteBuffer(string: header))
                var whole = frame
                whole.payload = ByteBuffer(string: payload)
                var expected = ByteBuffer(string: "before")
                whole.encode(into: &expected)
                // The size that is told is no more than a help.
                for octets in [0, payload.utf8.count, 100_000] {
                    var buffer = ByteBuffer(string: "before")
                    frame.encode(into: &buffer, octets: octets) { $0.writeString(payload) }
                    #expect(buffer == expected)
                }
            }
        }
        var nothing = ByteBuffer()
        Frame(.end, exchange: 5).encode(into: &nothing, octets: 10) { _ in }
        #expect(String(buffer: nothing).hasSuffix(#"{"k":"end","x":5,"m":null}"#))
    }

    @Test func `say window beyond 32 bits as the most that can be said`() throws {
        let frame = Frame(.credit, exchange: 1, messages: .max, octets: -5)
        let read = try Frame(parsing: Self.object(frame))
        #expect(read.messages == Int(UInt32.max))
        #expect(read.octets == 0)
    }

    @Test(arguments: [0, 1, 9, 10, 99, 100, 4_294_967_295, 1_000_000_000, 9_999_999_999_999_999_999, UInt64.max])
    func `write numbers in decimal`(number: UInt64) {
        var buffer = ByteBuffer()
        buffer.writeDecimal(number)
        #expect(String(buffer: buffer) == "\(number)")
    }
}
