import BridgeLink
import BridgeProcess
import Glibc
import NIOCore
import NIOPosix

/// One child of an upstream worker with its pipes, from its start until nothing of its tree is left.
///
/// Confined to its event loop.
final class Child {
    /// How much time its processes get to leave.
    enum Manner {
        /// Its stdin is closed, then TERM, then KILL.
        case politely
        /// It has exited, or is not worth waiting for: TERM, and KILL a moment later.
        case promptly
        /// KILL.
        case now

        fileprivate var steps: [TreeTeardown.Step] {
            switch self {
            case .politely: .termThenKill(grace: .milliseconds(500), term: .seconds(2), kill: .seconds(2))
            case .promptly: .termThenKill(term: .milliseconds(200), kill: .seconds(2))
            case .now: [.init(SIGKILL, patience: .seconds(2))]
            }
        }
    }

    private enum State {
        case new
        /// The process thread has been asked for it.
        case starting
        case running
        /// It is lost, and nobody has asked for its end yet.
        case lost
        /// Its end was asked for before it was known to run.
        case endingEarly(Manner)
        case ending
        case ended
    }

    /// How long its last words are waited for, once it has exited or closed its output.
    private static let settleTime = TimeAmount.milliseconds(100)

    weak var delegate: (any ChildDelegate)?
    private let launch: ChildLaunch
    private let processes: ProcessThread
    private let loop: any EventLoop
    private var state = State.new
    private var channel: (any Channel)?
    private var errorChannel: (any Channel)?
    private var exit: ExitStatus?
    private var isOutputClosed = false
    private var isErrorClosed = false
    private var isSettling = false
    /// Of limits that do not hold, for people.
    private(set) var notes: [String] = []

    init(launch: ChildLaunch, processes: ProcessThread, loop: any EventLoop) {
        self.launch = launch
        self.processes = processes
        self.loop = loop
    }

    // MARK: Writing

    /// False while its pipe is full, and when it does not run.
    var isWritable: Bool {
        guard case .running = self.state else { return false }
        return self.channel?.isWritable ?? false
    }

    /// Writes without flushing. What is written counts as seen by the child.
    ///
    /// - Parameter hold: let go of once the bytes have left, or cannot any more.
    func write(_ bytes: ByteBuffer, hold: PayloadHold? = nil) {
        guard let channel = self.channel else { return }
        guard let hold else { return channel.write(bytes, promise: nil) }
        let left = channel.eventLoop.makePromise(of: Void.self)
        left.futureResult.assumeIsolated().whenComplete { _ in withExtendedLifetime(hold) {} }
        channel.write(bytes, promise: left)
    }

    /// Whether more of its output is read. While too many answers wait to leave, nothing is, and it has to wait.
    var isReading = true {
        didSet { if self.isReading != oldValue { self.applyReading() } }
    }

    private func applyReading() { try? self.channel?.syncOptions?.setOption(.autoRead, value: self.isReading) }

    func flush() {
        self.channel?.flush()
    }

    // MARK: Starting

    func start() {
        guard case .new = self.state else { return }
        self.state = .starting
        do {
            self.notes = try self.launch.prepareGroup()
            try self.startWithPipes()
        } catch {
            // Told in a later turn, so that whoever starts it has it in hand by then.
            self.loop.assumeIsolated().execute { self.failedToStart("\(error)") }
        }
    }

    private func startWithPipes() throws {
        var pipes: [Pipe] = []
        do {
            for _ in 0..<3 { pipes.append(try Pipe.make()) }
            let (input, output, error) = (pipes[0], pipes[1], pipes[2])
            let given = [input.reading, output.writing, error.writing]
            let specification = try self.launch.specification(descriptors: given)
            self.connect(input: input.writing, output: output.reading, error: error.reading)
                .assumeIsolated().whenComplete { result in
                    switch result {
                    case .success: self.spawn(specification)
                    case .failure(let error): self.abandon(descriptors: given, "\(error)")
                    }
                }
        } catch {
            for pipe in pipes {
                close(pipe.reading)
                close(pipe.writing)
            }
            throw error
        }
    }

    /// Makes channels of our ends. They are owned by the channels, or closed.
    private func connect(input: CInt, output: CInt, error: CInt) -> EventLoopFuture<Void> {
        let stdout = NIOLoopBound(self.makeStdoutHandler(), eventLoop: self.loop)
        let stderr = NIOLoopBound(self.makeStderrHandler(), eventLoop: self.loop)
        let main = NIOPipeBootstrap(group: self.loop)
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 16 << 10, maximum: 1 << 20)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(stdout.value) }
            }
            .takingOwnershipOfDescriptors(input: output, output: input)
        let errors = NIOPipeBootstrap(group: self.loop)
            // Little at a time: whatever floods it, the loop comes round to everybody else.
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 64 << 10))
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(stderr.value) }
            }
            .takingOwnershipOfDescriptor(input: error)
        main.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel):
                self.channel = channel
                if !self.isReading { self.applyReading() }
            case .failure: for descriptor in [input, output] { close(descriptor) }
            }
        }
        errors.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel): self.errorChannel = channel
            case .failure: close(error)
            }
        }
        return main.and(errors).map { _ in }
    }

    private func makeStdoutHandler() -> StdoutHandler {
        StdoutHandler(
            maximumLineOctets: self.launch.maximumLineOctets,
            onBytes: { [weak self] in
                guard let self else { return }
                self.delegate?.childSpoke(self)
            },
            onLine: { [weak self] line in
                guard let self else { return }
                self.delegate?.child(self, received: line)
            },
            onWritable: { [weak self] in
                guard let self else { return }
                self.delegate?.childBecameWritable(self)
            },
            onClosed: { [weak self] in
                self?.isOutputClosed = true
                self?.settle()
            }
        )
    }

    private func makeStderrHandler() -> StderrHandler {
        StderrHandler(
            onLine: { [weak self] line in
                guard let self else { return }
                self.delegate?.child(self, wroteError: line)
            },
            onDropped: { [weak self] count in
                guard let self else { return }
                self.delegate?.child(self, droppedErrorLines: count)
            },
            onClosed: { [weak self] in
                self?.isErrorClosed = true
                self?.settle()
            }
        )
    }

    private func spawn(_ specification: SpawnSpecification) {
        let loop = self.loop
        let this = NIOLoopBound(self, eventLoop: loop)
        self.processes.spawn(
            specification,
            onStart: { result in loop.execute { this.value.spawned(result, specification.descriptors) } },
            onExit: { status in loop.execute { this.value.exited(status) } }
        )
    }

    private func spawned(_ result: Result<ProcessID, SpawnError>, _ descriptors: [CInt]) {
        switch result {
        case .success(let id):
            for descriptor in descriptors { close(descriptor) }
            switch self.state {
            case .starting:
                self.state = .running
                self.delegate?.childStarted(self, pid: id.pid)
                self.settle()
            case .endingEarly(let manner):
                self.beginEnding(manner)
            case .new, .running, .lost, .ending, .ended: break
            }
        case .failure(let error):
            self.abandon(descriptors: descriptors, error.description)
        }
    }

    private func abandon(descriptors: [CInt], _ reason: String) {
        for descriptor in descriptors { close(descriptor) }
        self.failedToStart(reason)
    }

    private func failedToStart(_ reason: String) {
        switch self.state {
        case .starting: self.lose(self.launch.shown(reason))
        case .endingEarly(let manner): self.beginEnding(manner)
        case .new, .running, .lost, .ending, .ended: break
        }
    }

    // MARK: Losing it

    private func exited(_ status: ExitStatus) {
        self.exit = status
        self.settle()
    }

    /// Reports the loss once everything that it said has been heard, or a moment later: what it left behind may hold its
    /// pipes open for ever.
    private func settle() {
        guard case .running = self.state else { return }
        if self.exit != nil, self.isOutputClosed, self.isErrorClosed { return self.lose(self.lossReason) }
        guard self.exit != nil || self.isOutputClosed, !self.isSettling else { return }
        self.isSettling = true
        self.loop.assumeIsolated().scheduleTask(in: Self.settleTime) {
            guard case .running = self.state else { return }
            self.lose(self.lossReason)
        }
    }

    private var lossReason: String { self.exit?.description ?? "closed its output" }

    private func lose(_ reason: String) {
        self.state = .lost
        self.delegate?.childLost(self, reason: reason)
    }

    // MARK: Ending

    /// Ends it and all below it. Saying it again with ``Manner/now`` makes it faster.
    func end(_ manner: Manner) {
        switch self.state {
        case .new, .starting: self.state = .endingEarly(manner)
        case .endingEarly: self.state = .endingEarly(manner)
        case .running: self.beginEnding(manner)
        case .lost: self.beginEnding(self.exit != nil && manner == .politely ? .promptly : manner)
        case .ending:
            if case .now = manner { self.processes.end(.everything, steps: manner.steps) { _ in } }
        case .ended: break
        }
    }

    private func beginEnding(_ manner: Manner) {
        self.state = .ending
        self.channel?.close(mode: .output, promise: nil)
        let loop = self.loop
        let this = NIOLoopBound(self, eventLoop: loop)
        let group = self.launch.group
        self.processes.end(.everything, steps: manner.steps) { _ in
            // What is in the group and not below us cannot be, but costs nothing to end.
            if let group { try? group.kill() }
            loop.execute { this.value.treeEnded() }
        }
    }

    private func treeEnded() {
        guard case .ending = self.state else { return }
        self.state = .ended
        self.channel?.close(promise: nil)
        self.errorChannel?.close(promise: nil)
        if let group = self.launch.group { try? group.remove() }
        self.delegate?.childEnded(self)
        self.delegate = nil
    }
}
