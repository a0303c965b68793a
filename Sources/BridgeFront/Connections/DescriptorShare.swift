import Glibc

/// How the descriptors that the front may have are shared out. Pure but for ``limitOfThisProcess``.
struct DescriptorShare: Equatable {
    /// For everything but clients: the standard three, listeners, epoll and its two, the control link, the notify
    /// socket, logs, the process thread's four, the session link and its bulk connections (twice, while a new session
    /// worker takes over from an old one), the database's two connections with their logs and the memory that they
    /// share, the socket that receivers of sign-ins come over and these, a file that is read, and connections that are
    /// accepted only to be closed.
    static let own = 48
    /// More connections than this are never being refused at once; what comes beyond is closed without being told why.
    static let mostRefused = 256

    /// Connections that are served.
    let connections: Int
    /// Connections beyond those, which are told that there is no room.
    let refused: Int

    /// - Parameters:
    ///   - limit: descriptors that this process may have open.
    ///   - wanted: connections that are to be served, if there is room for them.
    init(limit: Int, wanted: Int) {
        // Below twice of what is our own nothing goes well any more; there is something for clients all the same.
        let left = max(2, limit - min(Self.own, limit / 2))
        // What is not wanted for connections may all go to those that are refused; an eighth is theirs in any case.
        let refused = min(Self.mostRefused, max(left / 8, left - wanted, 1))
        self.refused = refused
        self.connections = max(1, min(wanted, left - refused))
    }

    /// The soft limit; the supervisor has raised it as far as it goes.
    static var limitOfThisProcess: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
        return Int(clamping: limit.rlim_cur)
    }
}
