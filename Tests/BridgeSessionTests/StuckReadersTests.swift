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

    @Test func `are those that took nothing between two looks, and whoever has most waiting`() {
        let (dead, slow, quicker, quick) = (Reader((10, 3)), Reader((90, 3)), Reader((50, 3)), Reader(nil))
        let stuck = self.stuck([dead, slow, quicker, quick])
        stuck.changed(isFull: true)
        #expect(![dead, slow, quicker].contains { $0.isGone }, "there may be room in a moment")
        slow.queue = (80, 4)
        quicker.queue = (40, 4)
        self.patience()
        #expect(dead.isGone && slow.isGone && !quicker.isGone && !quick.isGone)
        quicker.queue = (30, 5)
        self.patience()
        #expect(quicker.isGone && !quick.isGone)
    }

    @Test func `are not those that have only just come`() {
        let (slow, late) = (Reader((10, 0)), Reader(nil))
        let stuck = self.stuck([slow, late])
        stuck.changed(isFull: true)
        slow.queue = (9, 1)
        late.queue = (90, 0)
        self.patience()
        #expect(slow.isGone && !late.isGone)
        stuck.changed(isFull: false)
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
