import BridgeProcess
import NIOCore
import NIOEmbedded
import Testing

@testable import BridgeSupervisor

@Suite("Giving memory back, at work", .timeLimit(.minutes(1))) struct HeapKeeperTests {
    /// In a process of its own, whose memory is nobody else's. Time is passed in.
    @Test func `what a burst leaves free goes back when the keeper has seen it twice, and not by itself`() async {
        await #expect(processExitsWith: .success) {
            let block = 64 << 10
            let count = 1_024
            let most = block * count * 3 / 4
            let loop = EmbeddedEventLoop()
            let keeper = HeapKeeper(loop: loop)
            let idle = try #require(MemoryUse.ofThisProcess()).anonymous
            let blocks = (0..<count).map { _ in
                let memory = UnsafeMutableRawPointer.allocate(byteCount: block, alignment: 16)
                memory.initializeMemory(as: UInt8.self, repeating: 1, count: block)
                return memory
            }
            // One in 64 is needed on, as ever: among others the last one, so that the heap's end is not free.
            for (number, memory) in blocks.enumerated() where number % 64 != 63 { memory.deallocate() }
            func grown() throws -> Int { try #require(MemoryUse.ofThisProcess()).anonymous - idle }

            #expect(try grown() > most, "the allocator keeps what it once had")
            keeper.start()
            loop.advanceTime(by: HeapKeeper.interval)
            #expect(try grown() > most, "it may be needed again")
            loop.advanceTime(by: HeapKeeper.interval)
            #expect(try grown() < block * count / 8)
            for number in stride(from: 63, to: count, by: 64) { blocks[number].deallocate() }
            withExtendedLifetime(keeper) {}
        }
    }
}
