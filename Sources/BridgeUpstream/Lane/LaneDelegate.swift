import BridgeCore
import BridgeMCP
import NIOCore

/// Hears of one lane, on the event loop.
protocol LaneDelegate: AnyObject {
    /// Its status is another one.
    func laneChanged(_ lane: Lane)

    /// It takes nothing more, and nothing of it is left. Said once.
    func laneFinished(_ lane: Lane)
}

/// Hears what a server says that is not about calls, on the event loop.
protocol LaneNews: AnyObject {
    /// There is a connection to this server. Said before anything is listed over it.
    func connected(to identity: UpstreamIdentity)

    /// A list has been read to its end.
    func listed(_ listing: Listing)

    /// Another program takes the server's place: what was listed is not what it will list.
    func replaced()

    /// A notification that belongs to no call.
    func noted(_ notification: JSONText)

    /// A notification about a task.
    ///
    /// - Parameter life: the connection that the task belongs to.
    func noted(_ notification: JSONText, ofTaskIn life: Int)
}
