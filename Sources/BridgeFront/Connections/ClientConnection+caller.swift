import NIOCore

extension ClientConnection {
    /// Who is at the other end. The kernel is asked once, when the first request wants to know.
    var caller: Caller {
        if let caller = self.knownCaller { return caller }
        let caller: Caller
        switch self.door {
        case .local:
            caller = Caller(.unix(uid: self.userID))
        case .own:
            caller = Caller(.own)
        case .http, .receiver:
            let channel = self.context?.channel
            caller = Caller(
                .tcp(
                    remote: channel?.remoteAddress.flatMap { IPAddress($0) },
                    local: channel?.localAddress.flatMap { IPAddress($0) }
                )
            )
        }
        self.knownCaller = caller
        return caller
    }
}
