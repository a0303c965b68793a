package import BridgeFiles
import CSpawn
import Glibc
package import Logging
import Synchronization

/// The one thread of a process that forks, and that hears of everything its children do.
///
/// A child's parent-death signal is bound to the *thread* that forked it. So this is a thread of its own, it never
/// ends, and nothing else in the process should fork children that are meant to live long.
///
/// It waits in poll(2) for its queue, the ends of its children, signals and watched descriptors. Callbacks run on it:
/// they must not block, and may call every method here.
package final class ProcessThread: Sendable {
    typealias Job = @Sendable (ProcessLoop) -> Void

    struct State {
        var jobs: [Job] = []
        /// From the fork until just before the reaping: so long the number cannot be another's.
        var children: [pid_t: Child] = [:]
        var watches: [CInt: Watch] = [:]
        var serial: UInt64 = 0

        mutating func nextSerial() -> UInt64 {
            self.serial += 1
            return self.serial
        }
    }

    struct Child {
        let id: ProcessID
        /// Closed by the thread, after the child has left the table.
        let descriptor: CInt
    }

    struct Watch {
        let serial: UInt64
        let onReadable: @Sendable () -> Void
    }

    /// How many jobs may wait before a spawn is refused.
    private static let queueLimit = 1024

    let state: Mutex<State>
    let wakeDescriptor: CInt
    let childEvents: CInt
    let logger: Logger
    let orphanGrace: Duration
    let commands: ShortCommands

    private init(
        wakeDescriptor: CInt, childEvents: CInt, logger: Logger, orphanGrace: Duration, commands: ShortCommands
    ) {
        self.state = Mutex(State())
        self.wakeDescriptor = wakeDescriptor
        self.childEvents = childEvents
        self.logger = logger
        self.orphanGrace = orphanGrace
        self.commands = commands
    }

    /// Starts the thread. Once in a process: SIGCHLD, whose handler this installs, has but one recipient.
    ///
    /// - Parameters:
    ///   - orphanGrace: how long a dead process that fell to this one (see ``Subreaper``) waits to be reaped. It may be no
    ///     orphan but the child of a library in this process, which will want its exit status.
    ///   - commands: that are no strays, whoever has started them.
    package static func start(
        logger: Logger,
        orphanGrace: Duration = .seconds(1),
        sparing commands: ShortCommands = ShortCommands()
    ) throws(SystemCallError) -> ProcessThread {
        let wakeDescriptor = cspawn_eventfd()
        guard wakeDescriptor >= 0 else { throw SystemCallError("eventfd") }
        let childEvents = cspawn_child_events()
        guard childEvents >= 0 else {
            let error = SystemCallError("eventfd")
            close(wakeDescriptor)
            throw error
        }
        let thread = ProcessThread(
            wakeDescriptor: wakeDescriptor,
            childEvents: childEvents,
            logger: logger,
            orphanGrace: orphanGrace,
            commands: commands
        )
        // The running thread keeps itself alive.
        let context = Unmanaged.passRetained(thread)
        let code = cspawn_thread(
            { context in
                guard let context else { return }
                let thread = Unmanaged<ProcessThread>.fromOpaque(context).takeRetainedValue()
                ProcessLoop(thread: thread).run()
            },
            context.toOpaque(),
            "spawn"
        )
        guard code == 0 else {
            context.release()
            close(wakeDescriptor)
            throw SystemCallError("pthread_create", code: code)
        }
        return thread
    }

    /// Sends a signal to a child, never to a later process with its number.
    ///
    /// - Returns: `false` when it has been reaped, or may not be signalled (it is set-uid).
    @discardableResult
    package func signal(_ process: ProcessID, _ signal: CInt) -> Bool {
        self.state.withLock { state in
            guard let child = state.children[process.pid], child.id == process else { return false }
            return cspawn_pidfd_send_signal(child.descriptor, signal) == 0
        }
    }

    /// The children that were started and have not been reaped.
    package func children() -> [ProcessID] {
        self.state.withLock { $0.children.values.map(\.id) }
    }

    /// Calls back on the process thread whenever the descriptor is readable, at its end or in error.
    ///
    /// Level-triggered: a callback that neither reads nor unwatches is called again at once. The descriptor stays the
    /// caller's. A second watch of the same descriptor replaces the first.
    package func watch(descriptor: CInt, onReadable: @escaping @Sendable () -> Void) {
        self.state.withLock { state in
            state.watches[descriptor] = Watch(serial: state.nextSerial(), onReadable: onReadable)
        }
        self.wake()
    }

    /// No callback begins after this returns; one may be running, unless this is called on the process thread.
    package func unwatch(descriptor: CInt) {
        self.state.withLock { _ = $0.watches.removeValue(forKey: descriptor) }
        self.wake()
    }

    /// Queues something for the process thread, behind what is queued already.
    func enqueue(_ job: @escaping Job) {
        self.state.withLock { $0.jobs.append(job) }
        self.wake()
    }

    /// - Returns: `false` when the queue is full.
    func enqueueBounded(_ job: @escaping Job) -> Bool {
        let accepted = self.state.withLock { state in
            guard state.jobs.count < Self.queueLimit else { return false }
            state.jobs.append(job)
            return true
        }
        if accepted { self.wake() }
        return accepted
    }

    private func wake() {
        var one: UInt64 = 1
        _ = write(self.wakeDescriptor, &one, 8)
    }
}
