import BridgeConfiguration
import Logging
import NIOCore

/// A connection to a server over HTTP, of whichever kind.
protocol RemoteConnection: Connection {
    /// Asked when the server refuses the first word as one that does not know this transport, before the loss is told.
    /// Whoever says true has taken it over.
    var onForeign: ((_ reason: String) -> Bool)? { get set }
}
