import BridgeAccess
import BridgeConfiguration
import NIOCore
import Testing

@testable import BridgeFront

@Suite("Turns of a token's requests") struct ChatTurnstileTests {
    private static let token = TokenID.random()

    @Test func `so many are under way, and the others follow in their order`() {
        var turnstile = ChatTurnstile()
        let arrivals = (1...5).map { turnstile.arrived($0, of: Self.token, most: 2) }
        #expect(arrivals == [.begins, .begins, .waits, .waits, .waits])
        #expect(turnstile.ended(Self.token, most: 2) == [3])
        // One that has gone meanwhile is passed over.
        turnstile.left(4, of: Self.token)
        #expect(turnstile.ended(Self.token, most: 2) == [5])
        #expect(turnstile.ended(Self.token, most: 2) == [])
    }

    @Test func `another token's wait for nobody`() {
        var turnstile = ChatTurnstile()
        #expect(turnstile.arrived(1, of: Self.token, most: 1) == .begins)
        #expect(turnstile.arrived(2, of: .random(), most: 1) == .begins)
    }

    @Test func `not everybody may wait`() {
        var turnstile = ChatTurnstile()
        _ = turnstile.arrived(0, of: Self.token, most: 1)
        for ticket in 1...1_024 { #expect(turnstile.arrived(UInt64(ticket), of: Self.token, most: 1) == .waits) }
        #expect(turnstile.arrived(2_000, of: Self.token, most: 1) == .refused)
    }

    @Test func `whatever comes and goes, never more are under way and everybody has a turn`() {
        var turnstile = ChatTurnstile()
        var running: Set<UInt64> = []
        var waiting: [UInt64] = []
        var state: UInt64 = 42
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for ticket in 1...5_000 as ClosedRange<UInt64> {
            switch turnstile.arrived(ticket, of: Self.token, most: 3) {
            case .begins: running.insert(ticket)
            case .waits: waiting.append(ticket)
            case .refused: Issue.record("there was room")
            }
            if random(4) == 0, !waiting.isEmpty {
                turnstile.left(waiting.remove(at: random(waiting.count)), of: Self.token)
            }
            if random(8) > 0, let over = running.min() {
                running.remove(over)
                for next in turnstile.ended(Self.token, most: 3) {
                    #expect(waiting.first == next)
                    waiting.removeFirst()
                    running.insert(next)
                }
            }
            #expect(running.count <= 3)
            #expect(waiting.isEmpty || running.count == 3)
        }
    }
}

@Suite("Records of requests to models") struct ChatRecordTests {
    @Test func `beyond a thousand requests in a second each has one record`() {
        var pace = RecordPace()
        let start = NIODeadline.uptimeNanoseconds(5_000_000_000)
        #expect((1...1_000).allSatisfy { _ in pace.takesTwo(start) })
        #expect(pace.takesTwo(start + .milliseconds(999)) == false)
        #expect(pace.takesTwo(start + .seconds(1)) == true)
    }

    @Test func `what is kept of a text for a record is little`() {
        let long = ByteBuffer(repeating: UInt8(ascii: "x"), count: 4 << 20)
        for (content, most) in [(AuditPolicy.Content.digest, 16), (.full, ChatRecord.maximumContent + 3)] {
            let record = ChatRecord(requestID: "r", method: "m", content: content)
            #expect((1...most).contains(record.excerpt(of: long)?.value.utf8.count ?? 0))
        }
        #expect(ChatRecord(requestID: "r", method: "m", content: .none).excerpt(of: long) == nil)
    }

    @Test func `a digest is the beginning of SHA-256`() {
        #expect(ChatRecord.digest(of: ByteBuffer(string: "abc")) == "ba7816bf8f01cfea")
    }
}
