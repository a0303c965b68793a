import BridgeCore
import BridgeLink
import BridgeProcess
import Glibc
import Logging
import NIOCore

/// A connection to a child of this process, by its stdin and stdout: one message a line.
///
/// Confined to its event loop.
final class Child: Connection {
    private enum State {
        case new
        /// The process thread has been asked for it.
        case starting
        case running
        /// It is lost, and nobody has asked for its end yet.
        case lost
        /// Its end was asked for before it was known to run.
        case endingEarly(EndManner)
        case ending
        case ended
    }

    /// How long its last words are waited for, once it has exited or closed its output.
    private static let settleTime = TimeAmount.milliseconds(100)

    /// Until the end, which is always told.
    var delegate: (any ConnectionDelegate)?
    private let launch: ChildLaunch
    private let processes: ProcessThread
    private let loop: any EventLoop
    private let logger: Logger
    private var state = State.new
    private var pipes: ChildPipes?
    private var writer: LineWriter?
    private(set) var pid: pid_t?
    private(set) var notes: [String] = []
    private var exit: ExitStatus?
    private var isOutputClosed = false
    private var isErrorClosed = false
    private var isSettling = false

    init(launch: ChildLaunch, processes: ProcessThread, loop: any EventLoop, logger: Logger) {
        self.launch = launch
        self.processes = processes
        self.loop = loop
        self.logger = logger
    }

    // MARK: Writing and reading

    var isWritable: Bool {
        guard case .running = self.state else { return false }
        return self.writer?.isWritable ?? false
    }

    func send(_ message: JSONText, replacing edits: [(JSONSpan, ByteBuffer)], request: Int?, hold: PayloadHold?) {
        self.writer?.write(message, replacing: edits, hold: hold)
    }

    func flush() { self.writer?.flush() }

    var isReading = true {
        didSet {
            guard self.isReading != oldValue else { return }
            self.applyReading()
            self.settle()
        }
    }

    private func applyReading() { try? self.pipes?.main?.syncOptions?.setOption(.autoRead, value: self.isReading) }

    private func received(_ reading: ChildLineReader.Reading) {
        switch reading {
        case .message(let message): self.delegate?.connection(self, received: message, answering: nil)
        case .messages(let messages):
            for message in messages { self.delegate?.connection(self, received: message, answering: nil) }
        case .unreadable(let what): self.delegate?.connection(self, couldNotRead: what, answering: nil)
        case .blank: break
        }
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
        let pipes = try ChildPipes()
        let specification: SpawnSpecification
        do {
            specification = try self.launch.specification(descriptors: pipes.given)
        } catch {
            pipes.closeUnused()
            throw error
        }
        self.pipes = pipes
        pipes.connect(on: self.loop, stdout: self.makeStdoutHandler(), stderr: self.makeStderrHandler())
            .assumeIsolated().whenComplete { result in
                switch result {
                case .success:
                    if !self.isReading { self.applyReading() }
                    self.spawn(specification)
                case .failure(let error):
                    pipes.closeGiven()
                    self.failedToStart("\(error)")
                }
            }
    }

    /// The handlers keep the child for as long as its pipes are open.
    private func makeStdoutHandler() -> StdoutHandler {
        let lines = self.launch.lines
        return StdoutHandler(
            maximumLineOctets: self.launch.maximumLineOctets,
            onBytes: { self.delegate?.connectionSpoke(self) },
            onLine: { self.received(lines.read($0)) },
            onWritable: { self.delegate?.connectionBecameWritable(self) },
            onClosed: {
                self.isOutputClosed = true
                self.settle()
            }
        )
    }

    /// Its own chatter; what goes wrong with it is told at warning, in other words.
    private func makeStderrHandler() -> StderrHandler {
        let logger = self.logger
        return StderrHandler(
            onLine: { line in
                let text = ForeignText.printable(line, limit: StderrLines.maximumOctets)
                logger.info("upstream stderr", metadata: ["text": "\(text)"])
            },
            onDropped: { logger.info("upstream stderr lines dropped", metadata: ["mcp.dropped": "\($0)"]) },
            onClosed: {
                self.isErrorClosed = true
                self.settle()
            }
        )
    }

    private func spawn(_ specification: SpawnSpecification) {
        let loop = self.loop
        let this = NIOLoopBound(self, eventLoop: loop)
        self.processes.spawn(
            specification,
            onStart: { result in loop.execute { this.value.spawned(result) } },
            onExit: { status in loop.execute { this.value.exited(status) } }
        )
    }

    private func spawned(_ result: Result<ProcessID, SpawnError>) {
        self.pipes?.closeGiven()
        if case .success(let id) = result { self.pid = id.pid }
        switch (result, self.state) {
        case (.success, .starting):
            self.state = .running
            self.writer = self.pipes?.main.map(LineWriter.init)
            self.delegate?.connectionOpened(self)
            self.settle()
        case (.success, .endingEarly(let manner)): self.beginEnding(manner)
        case (.success, _): break
        case (.failure(let error), _): self.failedToStart(error.description)
        }
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
            self.isSettling = false
            // What is not read yet is heard as soon as there is room for it.
            guard case .running = self.state, self.isReading else { return }
            self.lose(self.lossReason)
        }
    }

    /// What it last wrote is in the log. It may hold a secret, and the reason is told to every client.
    private var lossReason: String { self.exit?.description ?? "closed its output" }

    private func lose(_ reason: String) {
        self.state = .lost
        self.delegate?.connectionLost(self, reason: reason)
    }

    // MARK: Ending

    func end(_ manner: EndManner) {
        switch self.state {
        case .new, .starting: self.state = .endingEarly(manner)
        case .endingEarly(let before): if before != .now { self.state = .endingEarly(manner) }
        case .running: self.beginEnding(manner)
        case .lost: self.beginEnding(self.exit != nil && manner == .politely ? .promptly : manner)
        case .ending:
            if case .now = manner { self.processes.end(self.tree, steps: manner.steps) { _ in } }
        case .ended: break
        }
    }

    private func beginEnding(_ manner: EndManner) {
        self.state = .ending
        self.pipes?.closeInput()
        let loop = self.loop
        let this = NIOLoopBound(self, eventLoop: loop)
        let (group, pid, processes) = (self.launch.group, self.pid, self.processes)
        processes.end(self.tree, steps: manner.steps) { _ in
            // What is in the group and not below us cannot be, but costs nothing to end; unless other lanes' children are.
            if let group, processes.children().allSatisfy({ $0.pid == pid }) {
                try? group.kill()
                try? group.remove()
            }
            loop.execute { this.value.treeEnded() }
        }
    }

    /// What is its own: other lanes have children beside it.
    private var tree: TreeScope { self.pid.map { .child($0) } ?? .strays(except: []) }

    private func treeEnded() {
        guard case .ending = self.state else { return }
        self.state = .ended
        self.pipes?.close()
        self.delegate?.connectionEnded(self)
        self.delegate = nil
    }
}

extension EndManner {
    fileprivate var steps: [TreeTeardown.Step] {
        switch self {
        // Its stdin is closed first.
        case .politely: .termThenKill(grace: .milliseconds(500), term: .seconds(2), kill: .seconds(2))
        case .promptly: .termThenKill(term: .milliseconds(200), kill: .seconds(2))
        case .now: [.init(SIGKILL, patience: .seconds(2))]
        }
    }
}
