import Glibc
import Testing

@testable import BridgeFiles

@Suite("Descriptors read and written to the end", .timeLimit(.minutes(1))) struct DescriptorIOTests {
    private static func pipe() throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(Glibc.pipe(&ends) == 0)
        return (ends[0], ends[1])
    }

    @Test func `what is more than a full pipe takes is written whole, though the pipe does not wait`() async throws {
        let pipe = try Self.pipe()
        _ = fcntl(pipe.writing, F_SETFL, O_NONBLOCK)
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0) }
        async let written: Void = {
            defer { close(pipe.writing) }
            try DescriptorIO.write(bytes, to: pipe.writing)
        }()
        let read = try DescriptorIO.readToEnd(pipe.reading, limit: bytes.count)
        try await written
        close(pipe.reading)
        #expect(read == bytes)
    }

    @Test func `more than the limit is refused`() throws {
        let pipe = try Self.pipe()
        try DescriptorIO.write("12345".utf8, to: pipe.writing)
        close(pipe.writing)
        let error = #expect(throws: SystemCallError.self) { try DescriptorIO.readToEnd(pipe.reading, limit: 4) }
        #expect(error?.code == EFBIG)
        close(pipe.reading)
    }

    @Test func `an end that does not come is not waited for longer than asked`() throws {
        let pipe = try Self.pipe()
        defer {
            close(pipe.reading)
            close(pipe.writing)
        }
        try DescriptorIO.write("12345".utf8, to: pipe.writing)
        let error = #expect(throws: SystemCallError.self) {
            try DescriptorIO.readToEnd(pipe.reading, limit: 100, until: .now + .milliseconds(20))
        }
        #expect(error?.code == ETIMEDOUT)
    }

    @Test(arguments: [
        (Duration.seconds(-1), 0), (.zero, 0), (.nanoseconds(1), 1), (.milliseconds(1), 1), (.microseconds(1_001), 2),
        (.seconds(2), 2_000), (.seconds(100_000), 3_600_000),
    ])
    func `a time to wait is rounded up to milliseconds`(wait: Duration, expected: Int) {
        let now = SuspendingClock.now
        #expect(Int(DescriptorIO.milliseconds(until: now + wait, from: now)) == expected)
    }
}
