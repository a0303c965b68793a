import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@Suite("Progress while somebody is asked") struct WaitingProgressTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func waiting(_ token: String = #""p""#, by revision: ProtocolRevision = .newest) throws -> WaitingProgress?
    {
        let request =
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","_meta":{"progressToken":\#(token)}}}"#
        let message = try RPCMessage(JSONText(validating: ByteBuffer(string: request)))
        return WaitingProgress(of: message, by: revision, now: Self.start)
    }

    private func progress(_ value: String, rest: String = "") -> ByteBuffer {
        let text =
            #"{"method":"notifications/progress","params":{"progressToken":"p","progress":\#(value)\#(rest)},"jsonrpc":"2.0"}"#
        return ByteBuffer(string: text)
    }

    private func value(_ told: ByteBuffer?) -> Double? {
        told.flatMap { JSONText(trusting: $0).value("params")?.double("progress") }
    }

    @Test(arguments: [#""p""#, "7", "12345678901234567890"])
    func `is told under the client's token when nothing has been for fifteen seconds`(token: String) throws {
        var waiting = try #require(try self.waiting(token))
        let early = waiting.told(now: Self.start + .milliseconds(14_999))
        #expect(early == nil)
        let told = waiting.told(now: Self.start + .seconds(15))
        let text = try JSONText(validating: try #require(told))
        #expect(text.string("method") == "notifications/progress" && text.value("id") == nil)
        #expect(text.value("params")?.value("progressToken")?.description == token)
        #expect(text.value("params")?.string("message")?.isEmpty == false)
        let again = waiting.told(now: Self.start + .seconds(29))
        #expect(again == nil)
        _ = waiting.heard(self.progress("1"), now: Self.start + .seconds(29))
        let behindServers = waiting.told(now: Self.start + .seconds(43))
        #expect(behindServers == nil && waiting.isDue(now: Self.start + .seconds(44)))
    }

    @Test func `is told nobody who did not ask for it, and in no words of later revisions`() throws {
        for token in ["null", "true", "{}"] { #expect(try self.waiting(token) == nil) }
        var waiting = try #require(try self.waiting(by: .v2024_11_05))
        let told = waiting.told(now: Self.start + .seconds(15)).map { String(buffer: $0) }
        #expect(
            told
                == #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p","progress":0.0}}"#
        )
    }

    /// Of the server's values, some with the bridge's own between them.
    @Test(arguments: [
        ["0", "1", "2"], ["0", "0.00001", "0.00002", "1"], ["-5", "-4.5", "0"], ["1e300", "1.1e300"],
        ["9007199254740992", "9007199254740994", "9007199254740996"], ["0.1", "0.10005", "0.5"],
    ])
    func `rises with each notification, and is the server's own wherever that rises`(values: [String]) throws {
        for between in 0...3 {
            var waiting = try #require(try self.waiting())
            var now = Self.start
            var told: [Double] = []
            for value in values {
                for _ in 0..<between {
                    now = now + .seconds(15)
                    let own = waiting.told(now: now)
                    told.append(try #require(self.value(own)))
                }
                let sent = self.progress(value, rest: #","total":10,"message":"\u0041""#)
                let passed = waiting.heard(sent, now: now)
                let own = try #require(Double(value))
                if own > told.last ?? -.infinity { #expect(passed == sent) }
                told.append(try #require(self.value(passed)))
            }
            #expect(zip(told, told.dropFirst()).allSatisfy { $0 < $1 }, "\(told)")
        }
    }

    @Test func `keeps the server's total, and leaves what does not rise at the server as it is`() throws {
        var waiting = try #require(try self.waiting())
        _ = waiting.heard(self.progress("3", rest: #","total":10.0"#), now: Self.start)
        let told = waiting.told(now: Self.start + .seconds(15))
        #expect(try JSONText(validating: try #require(told)).value("params")?.value("total")?.description == "10.0")
        for odd in ["3", "2", #""x""#, "null"] {
            let passed = waiting.heard(self.progress(odd), now: Self.start)
            #expect(passed == self.progress(odd))
        }
    }

    @Test(arguments: [#""x""#, "1e999", "1.7976931348623157e308"])
    func `says nothing where it would not rise`(value: String) throws {
        var waiting = try #require(try self.waiting())
        _ = waiting.heard(self.progress(value), now: Self.start)
        let told = waiting.told(now: Self.start + .seconds(15))
        #expect(told == nil)
    }
}
