import BridgeProcess
import Glibc
import NIOCore
import NIOPosix

/// The three pipes of a child: our ends as channels, and the ends that it is given.
///
/// Confined to its event loop.
final class ChildPipes {
    /// The child's stdin, stdout and stderr.
    let given: [CInt]
    /// Our ends, until they are channels: of its stdin, stdout and stderr.
    private var own: [CInt]
    private(set) var main: (any Channel)?
    private var errors: (any Channel)?

    /// - Throws: ``SystemCallError``.
    init() throws {
        var pipes: [Pipe] = []
        do {
            for _ in 0..<3 { pipes.append(try Pipe.make()) }
        } catch {
            for pipe in pipes { Self.close([pipe.reading, pipe.writing]) }
            throw error
        }
        self.given = [pipes[0].reading, pipes[1].writing, pipes[2].writing]
        self.own = [pipes[0].writing, pipes[1].reading, pipes[2].reading]
    }

    /// Makes channels of our ends, which are owned by them, or closed, from then on.
    func connect(
        on loop: any EventLoop, stdout: StdoutHandler, stderr: StderrHandler
    ) -> EventLoopFuture<Void> {
        let stdout = NIOLoopBound(stdout, eventLoop: loop)
        let stderr = NIOLoopBound(stderr, eventLoop: loop)
        let (input, output, error) = (self.own[0], self.own[1], self.own[2])
        self.own = []
        let main = NIOPipeBootstrap(group: loop)
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 16 << 10, maximum: 1 << 20)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(stdout.value) }
            }
            .takingOwnershipOfDescriptors(input: output, output: input)
        let errors = NIOPipeBootstrap(group: loop)
            // Little at a time: whatever floods it, the loop comes round to everybody else.
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 64 << 10))
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(stderr.value) }
            }
            .takingOwnershipOfDescriptor(input: error)
        main.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel): self.main = channel
            case .failure: Self.close([input, output])
            }
        }
        errors.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel): self.errors = channel
            case .failure: Self.close([error])
            }
        }
        return main.and(errors).map { _ in }
    }

    /// The child has its ends, or will never have them.
    func closeGiven() { Self.close(self.given) }

    /// Nothing is to come of these pipes, and they have not been connected.
    func closeUnused() {
        Self.close(self.given + self.own)
        self.own = []
    }

    /// The child's stdin ends.
    func closeInput() { self.main?.close(mode: .output, promise: nil) }

    func close() {
        self.main?.close(promise: nil)
        self.errors?.close(promise: nil)
    }

    private static func close(_ descriptors: [CInt]) {
        for descriptor in descriptors { _ = Glibc.close(descriptor) }
    }
}
