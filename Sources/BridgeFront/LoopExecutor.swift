import NIOCore

/// Runs tasks on an event loop, so that a request's whole path, asynchronous functions included, stays on one thread.
///
/// Values bound to the loop can then be used from such a task between any two suspensions.
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
