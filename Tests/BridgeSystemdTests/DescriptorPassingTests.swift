import Glibc
import Testing

@testable import BridgeSystemd

@Suite("Descriptor passing") struct DescriptorPassingTests {
    @Test func `what is sent is there to be received, close-on-exec, and nothing else`() throws {
        var ends: [Int32] = [-1, -1]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        #expect(DescriptorPassing.receive(from: ends[1]).isEmpty, "it does not wait")
        var pipes: [Int32] = [-1, -1]
        #expect(pipe(&pipes) == 0)
        defer { for end in pipes { close(end) } }
        try DescriptorPassing.send(pipes[0], over: ends[0])
        try DescriptorPassing.send(pipes[0], over: ends[0])
        let received = DescriptorPassing.receive(from: ends[1])
        defer { for descriptor in received { close(descriptor) } }
        #expect(received.count == 2)
        for descriptor in received { #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0) }
        #expect(write(pipes[1], "x", 1) == 1)
        var byte: UInt8 = 0
        #expect(read(received[1], &byte, 1) == 1 && byte == UInt8(ascii: "x"))
        close(ends[1])
        ends[1] = -1
        #expect(throws: SystemdError.self) { try DescriptorPassing.send(pipes[0], over: ends[0]) }
    }
}
