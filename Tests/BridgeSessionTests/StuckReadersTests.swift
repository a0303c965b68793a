import NIOCore
import NIOEmbedded
import Testing

@testable import BridgeSession

@Suite("Readers that hold everybody up") struct StuckReadersTests {
    private final class Reader: QueueReader {
        var queue: (octets: Int, released: Int)?
        var isGone = false
        init(_ queue: (octets: Int, released: Int)?) { self.queue = queue }
        func hangUp() {
            self.isGone = true
            self.queue = nil
        }
    }

    private let loop = EmbeddedEventLoop()

    private func stuck(_ readers: [Reader]) -> StuckReaders {
        let stuck = StuckReaders(loop: self.loop)
        stuck.readers = { readers }
        return stuck
    }

    private func patience(times: Int64 = 1) {
        for _ in 0..<times { self.loop.advanceTime(by: StuckReaders.patience) }
    }

    @Test func `are those that took nothing between two looks, and nobody else`() {
        let (dead, slow, quick) = (Reader((10, 3)), Reader((90, 3)), Reader(nil))
        let stuck = self.stuck([dead, slow, quick])
        stuck.changed(isFull: true)
        #expect(!dead.isGone, "it may take something yet")
        for round in 1..<5 {
            slow.queue = (90, 3 + round)
            self.patience()
            #expect(dead.isGone && !slow.isGone && !quick.isGone)
        }
    }

    @Test func `are looked for only while there is no room`() {
        let dead = Reader((10, 0))
        let stuck = self.stuck([dead])
        self.patience(times: 3)
        #expect(!dead.isGone)
        stuck.changed(isFull: true)
        stuck.changed(isFull: false)
        self.patience(times: 3)
        #expect(!dead.isGone)
        stuck.changed(isFull: true)
        self.patience()
        #expect(dead.isGone)
        stuck.changed(isFull: false)
    }

    @Test func `are looked for again as long as there is none`() {
        let late = Reader(nil)
        let stuck = self.stuck([late])
        stuck.changed(isFull: true)
        self.patience(times: 2)
        late.queue = (1, 0)
        self.patience()
        #expect(!late.isGone)
        self.patience()
        #expect(late.isGone)
        stuck.changed(isFull: false)
    }
}
