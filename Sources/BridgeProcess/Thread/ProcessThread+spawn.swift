import Glibc

extension ProcessThread {
    /// Starts a process. Cancellation does not reach it: it takes as long as the kernel takes to execute a program.
    ///
    /// - Parameter onExit: called exactly once, on the process thread, when the child has been reaped; never after a
    ///   thrown error. Not before this function has come back to its caller's actor, so that a hop from `onExit` to
    ///   that actor arrives after the caller has got the id.
    package func spawn(
        _ specification: SpawnSpecification,
        isolation: isolated (any Actor)? = #isolation,
        onExit: @escaping @Sendable (ExitStatus) -> Void
    ) async throws(SpawnError) -> ProcessID {
        let gate = ExitGate(onExit)
        let result = await withCheckedContinuation(isolation: isolation) { continuation in
            self.spawn(
                specification,
                onStart: { continuation.resume(returning: $0) },
                onExit: { gate.exited($0) }
            )
        }
        let id = try result.get()
        self.enqueue { _ in gate.open() }
        return id
    }

    /// Starts a process, for callers that are not in a task.
    ///
    /// - Parameters:
    ///   - onStart: called exactly once, on the process thread, when the program runs or could not be
    ///     started; on the caller's thread when the queue is full.
    ///   - onExit: called exactly once, on the process thread, after a successful `onStart`, when the child has been
    ///     reaped.
    package func spawn(
        _ specification: SpawnSpecification,
        onStart: @escaping @Sendable (Result<ProcessID, SpawnError>) -> Void,
        onExit: @escaping @Sendable (ExitStatus) -> Void
    ) {
        let accepted = self.enqueueBounded { loop in
            loop.spawn(specification, onStart: onStart, onExit: onExit)
        }
        if !accepted {
            onStart(.failure(SpawnError(stage: .queue, code: EAGAIN, executable: specification.executable)))
        }
    }
}
