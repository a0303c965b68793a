import Glibc
import NIOCore

/// Hears of one child, on the event loop.
protocol ChildDelegate: AnyObject {
    /// It runs; lines may be written.
    func childStarted(_ child: Child, pid: pid_t)
    /// It wrote something to its stdout, a piece of a line perhaps. What lines that makes is told next.
    func childSpoke(_ child: Child)
    func child(_ child: Child, received line: LineDecoder.Line)
    func childBecameWritable(_ child: Child)
    func child(_ child: Child, wroteError line: ByteBuffer)
    func child(_ child: Child, droppedErrorLines count: Int)
    /// It could not be started, has exited, or has closed its output. Said at most once, and not after ``Child/end(_:)``.
    func childLost(_ child: Child, reason: String)
    /// No process of it or below it is left, as far as they can be killed. Said once, after ``Child/end(_:)``; the last call.
    func childEnded(_ child: Child)
}
