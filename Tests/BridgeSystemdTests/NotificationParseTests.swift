import BridgeSystemd
import Testing

@Suite("Parsing a notification")
struct NotificationParseTests {
    private func parse(_ text: String) -> [String: String]? {
        NotifyReceiver.Notification.parse(Array(text.utf8)[...])
    }

    @Test func `assignments are taken, what is none is skipped`() {
        #expect(self.parse("READY=1\nSTATUS=a=b c\n\nnonsense\n=x\nlower=1\n") == ["READY": "1", "STATUS": "a=b c"])
        #expect(self.parse("X_MINE=") == ["X_MINE": ""])
    }

    @Test func `of two assignments to one name the first counts`() {
        #expect(self.parse("READY=0\nREADY=1") == ["READY": "0"])
    }

    @Test(arguments: ["", "\n\n", "READY", "ready=1", "A B=1", "READY=1\0STATUS=x", "\0"])
    func `a datagram that says nothing is nothing`(text: String) {
        #expect(self.parse(text) == nil)
    }

    @Test func `one NUL at the end is allowed`() {
        #expect(self.parse("READY=1\0") == ["READY": "1"])
    }

    @Test func `a value that is not UTF-8 is left out, and the others stay`() {
        let bytes = Array("STATUS=".utf8) + [0xC3, 0x28, 0x0A] + Array("READY=1".utf8)
        #expect(NotifyReceiver.Notification.parse(bytes[...]) == ["READY": "1"])
    }

    @Test func `random bytes never trap`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...64, using: &generator)).map { _ in
                Bool.random(using: &generator)
                    ? UInt8.random(in: 0...255, using: &generator) : Array("A=\n\0".utf8).randomElement() ?? 0
            }
            let fields = NotifyReceiver.Notification.parse(bytes[...])
            #expect(fields?.isEmpty != true)
        }
    }
}
