import BridgeConfiguration
import Logging
import NIOCore

/// A connection to a server over HTTP, of whichever kind.
protocol RemoteConnection: Connection {
    /// Asked when the server refuses the first word as one that does not know this transport, before the loss is told.
    /// Whoever says true has taken it over.
    var onForeign: ((_ reason: String) -> Bool)? { get set }
}

enum RemoteConnections {
    /// A connection of the kind that is configured, or of the one that is found.
    static func make(
        _ target: RemoteTarget, tokens: (any TokenSource)? = nil, memory: AddressMemory, maximumMessage: Int,
        loop: any EventLoop, logger: Logger
    ) -> any Connection {
        let maker: ProbedHTTP.Maker = { dialect in
            switch dialect {
            case .sse:
                EventStreamHTTP(
                    target, tokens: tokens, memory: memory, maximumMessage: maximumMessage, loop: loop, logger: logger)
            case .probe, .streamableHTTP:
                StreamableHTTP(
                    target, tokens: tokens, memory: memory, maximumMessage: maximumMessage, loop: loop, logger: logger)
            }
        }
        guard target.dialect == .probe else { return maker(target.dialect) }
        return ProbedHTTP(target, memory: memory, loop: loop, make: maker)
    }
}
