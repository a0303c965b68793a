import NIOHTTP1

/// Why a connection is of no use any more.
enum HTTPLoss: Equatable {
    case unreachable(String)
    /// The server refuses the first word as one that does not know this transport.
    case foreign(String)
    /// Nobody may ask who has not signed in: what the server says.
    case signInNeeded(String)

    var reason: String {
        switch self {
        case .unreachable(let reason), .foreign(let reason): reason
        case .signInNeeded(let words): "sign-in needed: \(words)"
        }
    }
}

extension HTTPResponseStatus {
    /// Whether whoever does not know a transport may say this to it. Who may come in, and how busy the server is, says
    /// nothing of that.
    var isOfForeigners: Bool {
        (400..<500).contains(self.code) && ![401, 403, 407, 408, 421, 425, 429].contains(self.code)
    }
}
