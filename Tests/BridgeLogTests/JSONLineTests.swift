import BridgeLog
import Foundation
import Logging
import NIOCore
import Testing

@Suite("JSON lines")
struct JSONLineTests {
    private func line(_ record: LogRecord) -> String {
        var buffer = ByteBuffer()
        JSONLine.write(LogEntry(record), to: &buffer)
        return String(buffer: buffer)
    }

    private func object(_ record: LogRecord) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(self.line(record).utf8))
        return try #require(value as? [String: Any])
    }

    @Test func `a record is one object, with meta where there is metadata`() {
        #expect(
            self.line(record("shutting down", metadata: ["signal": "SIGTERM"]))
                == #"{"ts":"2026-07-28T09:05:03.007Z","level":"info","message":"shutting down","meta":{"signal":"SIGTERM"}}"#
                + "\n"
        )
        #expect(
            self.line(record("x", level: .warning))
                == #"{"ts":"2026-07-28T09:05:03.007Z","level":"warning","message":"x"}"# + "\n"
        )
    }

    @Test func `numbers, truth and structure stay what they are`() {
        let line = self.line(
            record(
                "x",
                metadata: [
                    "a": .stringConvertible(8_769), "b": .stringConvertible(true), "c": .stringConvertible(1.5),
                    "d": .stringConvertible(Double.nan), "e": .array(["1", .array([])]), "f": .dictionary(["k": "v"]),
                    "g": .stringConvertible(UInt64.max),
                ]
            )
        )
        #expect(
            line.hasSuffix(
                #""meta":{"a":8769,"b":true,"c":1.5,"d":"nan","e":["1",[]],"f":{"k":"v"},"g":18446744073709551615}}"#
                    + "\n"
            )
        )
    }

    @Test func `whatever the strings hold, another parser reads them back`() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let bytes = (0..<Int.random(in: 0...40)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            // Bytes that are not UTF-8 become replacement characters where they become a string.
            let text = String(decoding: bytes, as: UTF8.self)
            let line = self.line(record(text, metadata: ["k\(text)": "\(text)"]))
            #expect(line.utf8.filter { $0 < 0x20 } == [0x0A])
            let object = try self.object(record(text, metadata: ["k\(text)": "\(text)"]))
            #expect((object["message"] as? String)?.utf8.elementsEqual(text.utf8) == true)
            #expect((object["meta"] as? [String: String])?.values.first?.utf8.elementsEqual(text.utf8) == true)
        }
    }

    @Test func `every control character is escaped`() throws {
        let controls =
            String(String.UnicodeScalarView((0..<0x20).compactMap { Unicode.Scalar($0) })) + "\"\\/\u{7F}\u{2028}"
        #expect(try self.object(record(controls))["message"] as? String == controls)
    }
}
