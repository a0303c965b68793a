package import BridgeFiles
import CSpawn
import Glibc

extension ProcessThread {
    /// Blocks signals in the calling thread and all that it starts, so that they wait for ``signals(_:)``; blocks
    /// SIGCHLD too, which then interrupts nobody, and ignores SIGPIPE.
    ///
    /// To be called first thing in `main`, while there is one thread: a thread that has a signal unblocked is killed
    /// by it. Children start with every signal unblocked and at its default all the same.
    package static func blockSignals(_ signals: [CInt]) {
        let all = signals + [SIGCHLD]
        _ = cspawn_block_signals(all, all.count)
    }

    /// These signals as they come to the process. One that comes again before it was read is seen once.
    ///
    /// They must be blocked, see ``blockSignals(_:)``, and be in no other of these streams.
    package func signals(_ signals: [CInt]) throws(SystemCallError) -> AsyncStream<CInt> {
        let descriptor = cspawn_signalfd(signals, signals.count)
        guard descriptor >= 0 else { throw SystemCallError("signalfd") }
        let (stream, continuation) = AsyncStream.makeStream(of: CInt.self)
        self.watch(descriptor: descriptor) {
            while case let signal = cspawn_signalfd_next(descriptor), signal != 0 {
                continuation.yield(signal)
            }
        }
        continuation.onTermination = { _ in
            self.unwatch(descriptor: descriptor)
            // On the thread, where no callback is running.
            self.enqueue { _ in close(descriptor) }
        }
        return stream
    }
}
