package import NIOCore

/// Runs tasks on an event loop, so that a request's whole path, asynchronous functions included, stays on one thread.
///
/// Values bound to the loop can then be used from such a task between any two suspensions.
package final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    package init(_ loop: any EventLoop) { self.loop = loop }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

extension EventLoop {
    /// Runs an asynchronous function on this loop from its first step, without the runtime's own pool of threads.
    ///
    /// It is not cancelled by anything but itself; the future is its end.
    package func run<Success: Sendable>(
        _ body: @escaping @Sendable () async throws -> Success
    ) -> EventLoopFuture<Success> {
        let promise = self.makePromise(of: Success.self)
        // Unstructured in form only: whoever asked holds the future.
        Task(executorPreference: LoopExecutor(self)) {
            do {
                promise.succeed(try await body())
            } catch {
                promise.fail(error)
            }
        }
        return promise.futureResult
    }
}
