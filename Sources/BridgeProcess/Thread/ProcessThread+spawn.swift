import Glibc

extension ProcessThread {
    /// Starts a process.
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
