import NIOCore
import Testing

@testable import BridgeCore

@Suite("What is not a frame") struct FrameRefusalTests {
    private func parse(_ text: String) -> Result<Frame, FrameError> {
        Result { () throws(FrameError) in try Frame(parsing: ByteBuffer(string: text)) }
    }

    @Test(arguments: [
        "", "{", "{}", "[]", "null", #"{"k":"open"}"#, #"{"k":"open","x":}"#, #"{"k":"open","x":"1"}"#,
        #"{"k":"open","x":1"#, #"{"k":"open","x":1}}"#, #"{"k":"open","x":1} "#, #" {"k":"open","x":1}"#,
        #"{"k":"opened","x":1}"#, #"{"k":"","x":1}"#, #"{"k":"OPEN","x":1}"#, #"{"x":1,"k":"open"}"#,
        #"{"k":"open","x":-1}"#, #"{"k":"open","x":1.5}"#, #"{"k":"open","x":9007199254740992}"#,
        #"{"k":"open","x":99999999999999999999999}"#, #"{"k":"open","x":01}"#, #"{"k":"open","x":00}"#,
        #"{"k":"open", "x":1}"#,
        #"{"k":"open","x":1,}"#, #"{"k":"open","x":1,"b":}"#, #"{"k":"open","x":1,"b":4294967296}"#,
        #"{"k":"credit","x":1,"n":-1,"o":1}"#, #"{"k":"credit","x":1,"n":1,"o":4294967296}"#,
        #"{"k":"credit","x":1,"o":1,"n":1}"#,
        #"{"k":"open","x":1,"h":}"#, #"{"k":"open","x":1,"h":1}"#, #"{"k":"open","x":1,"h":[]}"#,
        #"{"k":"open","x":1,"h":{}"#, #"{"k":"open","x":1,"h":{"a":1}"#, #"{"k":"open","x":1,"h":{"a":"}}"#,
        #"{"k":"open","x":1,"h":{"a":"\"}}"#, #"{"k":"open","x":1,"h":{}}}"#, #"{"k":"open","x":1,"h":{},"h":{}}"#,
        #"{"k":"open","x":1,"m":}"#, #"{"k":"open","x":1,"m":"#, #"{"k":"open","x":1,"m":1"#,
        #"{"k":"open","x":1,"m":1} "#, #"{"k":"open","x":1,"q":1}"#, #"{"k":"open","x":1,"m":1,"h":{}} "#,
        "{\"k\":\"open\",\"x\":1\u{0}}",
    ])
    func `is refused, not guessed at`(text: String) {
        #expect(self.parse(text) == .failure(.badEnvelope))
    }

    @Test func `is every frame that lost its last bytes`() {
        for frame in FrameTests.samples where frame.payload == nil {
            let object = FrameTests.object(frame)
            for length in 0..<object.readableBytes {
                guard let torn = object.getSlice(at: object.readerIndex, length: length) else { continue }
                #expect(throws: FrameError.badEnvelope) { try Frame(parsing: torn) }
            }
        }
    }

    @Test func `never crashes the reader, nor whoever looks into the header that came out`() {
        var generator = JSONGenerator(seed: 2)
        let samples = FrameTests.samples.map { Array(FrameTests.object($0).readableBytesView) }
        let alphabet = Array(#"{}[]"\:,khxmbno0123456789opendclatru "#.utf8) + [0, 0x1F, 0x7F, 0x80, 0xC3, 0xFF]
        for _ in 0..<60_000 {
            var bytes = samples[generator.below(samples.count)]
            for _ in 0...generator.below(4) {
                let at = generator.below(bytes.count)
                switch generator.below(4) {
                case 0: bytes.remove(at: at)
                case 1: bytes.insert(alphabet[generator.below(alphabet.count)], at: at)
                case 2: bytes[at] = alphabet[generator.below(alphabet.count)]
                default: bytes.removeLast(min(bytes.count - 1, generator.below(8)))
                }
                if bytes.isEmpty { break }
            }
            guard let frame = try? Frame(parsing: ByteBuffer(bytes: bytes)) else { continue }
            if frame.header.readableBytes > 0 { Self.lookInto(JSONText(trusting: frame.header)) }
            if let payload = frame.payload { Self.lookInto(JSONText(trusting: payload)) }
        }
    }

    /// What the workers do with a header.
    private static func lookInto(_ text: JSONText) {
        for key: StaticString in ["op", "a", "c", "é"] {
            _ = text.string(key)
            _ = text.int(key)
            _ = text.bool(key)
            text.value(key)?.members { key, _ in _ = key.string }
            text.value(key)?.elements { _ in }
        }
        _ = try? RPCMessage(text)
    }
}
