/// How long the end of a worker may take. The longest ways that are in order are those of upstream workers, which begin
/// with 6 s for the calls under way. Of a program that heeds neither the end of its input nor `SIGTERM`: then 0.5 + 2 +
/// 2 s, and 2 s for a session worker that is slow to read the last words: 12.5 s. Of a server over HTTP: then 2 s to
/// take leave of it, and 5 s for a token that is on its way: 13 s.
package enum StopLimits {
    /// From `STOPPING=1` on. A worker that takes longer hangs.
    package static let stopping = Duration.seconds(15)
    /// From `SIGTERM` on, for one that says nothing. The watch over it comes first: `SIGABRT` after ``stopping``, up to a
    /// second later, and `SIGKILL` two seconds after that.
    package static let killed = Duration.seconds(19)
}
