/// How long the end of a worker may take. The longest way that is in order is an upstream worker's: 6 s for the calls under
/// way, then 0.5 + 2 + 2 s for a server that heeds neither the end of its input nor `SIGTERM`, and 2 s for a session worker
/// that is slow to read the last words: 12.5 s.
package enum StopLimits {
    /// From `STOPPING=1` on. A worker that takes longer hangs.
    package static let stopping = Duration.seconds(15)
    /// From `SIGTERM` on, for one that says nothing. The watch over it comes first: `SIGABRT` after ``stopping``, up to a
    /// second later, and `SIGKILL` two seconds after that.
    package static let killed = Duration.seconds(19)
}
