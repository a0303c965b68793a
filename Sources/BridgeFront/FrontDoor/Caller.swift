import BridgeConfiguration
import BridgeCore

/// What the kernel says about the other end of a connection. Nothing that a client sends is in here.
struct Caller: Sendable, Hashable {
    enum Way: Sendable, Hashable {
        /// Both ends' addresses; `nil` where the kernel did not tell.
        case tcp(remote: IPAddress?, local: IPAddress?)
        /// The user id of the process that connected (`SO_PEERCRED`); `nil` where the kernel did not tell.
        case unix(uid: UInt32?)
        /// The client whose program the bridge is.
        case own
    }

    let way: Way
    /// How the session worker knows the caller: `local` for loopback, `uid:1000` for the local socket, `own` for the client
    /// whose program the bridge is.
    let principal: String

    init(_ way: Way) {
        self.way = way
        switch way {
        case .tcp: self.principal = "local"
        case .unix(let uid?): self.principal = "uid:\(uid)"
        case .unix(nil): self.principal = "uid:unknown"
        case .own: self.principal = "own"
        }
    }

    /// Whether the connection itself comes from this machine.
    var isLocal: Bool {
        switch self.way {
        case .tcp(let remote, _): remote?.isLoopback == true
        case .unix, .own: true
        }
    }

    /// What the connection alone entitles to. Loopback TCP says only that it is some process of this machine, a sandboxed
    /// one or another user's included: it administers only a bridge that was started in mcp-proxy's way.
    func grants(_ configuration: FrontConfiguration) -> Grants {
        switch self.way {
        case .tcp where !self.isLocal: []
        case .tcp: configuration.isOpenOnLoopback ? [.mcp, .chat, .source, .admin] : [.mcp, .chat, .source]
        case .unix(let uid?): Grants(configuration.grants(uid: uid))
        case .unix(nil): []
        case .own: [.mcp, .chat, .source, .admin]
        }
    }
}

/// What a caller may do.
struct Grants: OptionSet, Sendable, Hashable {
    let rawValue: UInt8

    static let mcp = Grants(rawValue: 1)
    static let chat = Grants(rawValue: 2)
    static let admin = Grants(rawValue: 4)
    /// To answer requests for models, where `chat.sources` names them.
    static let source = Grants(rawValue: 8)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(_ grants: Set<PeerGrant>) {
        self = []
        for grant in grants {
            switch grant {
            case .mcp: self.formUnion([.mcp, .source])
            case .chat: self.insert(.chat)
            case .admin: self.insert(.admin)
            }
        }
    }
}
