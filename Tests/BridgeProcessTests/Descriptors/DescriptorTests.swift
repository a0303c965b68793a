import Glibc
import Testing

@testable import BridgeProcess

@Suite("Descriptors") struct DescriptorTests {
    @Test func `pipes and pairs are close-on-exec`() throws {
        let pipe = try Pipe.make(nonblocking: true)
        let pair = try SocketPair.make()
        for descriptor in [pipe.reading, pipe.writing, pair.first, pair.second] {
            #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
        }
        #expect(fcntl(pipe.reading, F_GETFL) & O_NONBLOCK != 0)
        #expect(fcntl(pair.first, F_GETFL) & O_NONBLOCK == 0)
        _ = write(pair.first, "x", 1)
        var byte: UInt8 = 0
        #expect(read(pair.second, &byte, 1) == 1)
        for descriptor in [pipe.reading, pipe.writing, pair.first, pair.second] { close(descriptor) }
    }

    @Test func `a pipe holds more than it does by itself`() throws {
        let pipe = try Pipe.make(nonblocking: true)
        defer {
            close(pipe.reading)
            close(pipe.writing)
        }
        let widened = try #require(Pipe.widen(pipe.reading))
        #expect(widened > 1 << 16)
        let bytes = [UInt8](repeating: 1, count: widened)
        #expect(write(pipe.writing, bytes, widened) == widened)
        #expect(Pipe.widen(-1) == nil)
    }

    @Test func `raising the descriptor limit tells the one before`() async {
        await #expect(processExitsWith: .success) {
            let before = try DescriptorLimit.current()
            let lowered = DescriptorLimit(soft: 64, hard: before.hard)
            var limit = rlimit(rlim_cur: 64, rlim_max: rlim_t(before.hard))
            #expect(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
            #expect(try DescriptorLimit.raise() == lowered)
            #expect(try DescriptorLimit.current() == DescriptorLimit(soft: before.hard, hard: before.hard))
        }
    }
}
