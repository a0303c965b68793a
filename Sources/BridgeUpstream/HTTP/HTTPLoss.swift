import BridgeCore
import BridgeHTTPClient
import NIOCore
import NIOHTTP1

/// Why a connection is of no use any more.
enum HTTPLoss: Equatable {
    case unreachable(String)
    /// The server wants to be asked again in so many seconds.
    case busy(String, retryAfter: Int)
    /// The server refuses the first word as one that does not know this transport.
    case foreign(String)
    /// Nobody may ask who has not signed in: what the server says.
    case signInNeeded(String)
    /// There is no token for it, or none that is taken: why, with how that stands at its beginning.
    case unauthorized(String)

    /// Whether the server may be elsewhere.
    var isOfPlace: Bool {
        switch self {
        case .unreachable, .foreign: true
        case .busy, .signInNeeded, .unauthorized: false
        }
    }

    /// What is said where another connection has been told so.
    static let peace = "it is busy"

    var reason: String {
        switch self {
        case .unreachable(let reason), .busy(let reason, _), .foreign(let reason), .unauthorized(let reason): reason
        case .signInNeeded(let words): "sign-in needed: \(words)"
        }
    }
}

extension JSONText {
    /// Of a server's capabilities: whether it says that it will tell of changes by itself.
    var promisesNews: Bool {
        var promises = false
        self.members { _, span in
            let each = self[span]
            guard each.kind == .object else { return }
            if each.bool("listChanged") == true || each.bool("subscribe") == true { promises = true }
        }
        return promises
    }
}

extension HTTPFailure {
    /// Whether it is a redirect to where people sign in, as far as the address tells.
    var leadsToSignIn: Bool {
        let target: String
        switch self.reason {
        case .redirectedAway(_, let to), .redirectedOtherwise(_, let to, _): target = to.lowercased()
        default: return false
        }
        let words = target.split { !$0.isLetter && !$0.isNumber && $0 != "-" && $0 != "_" }
        let beginnings = ["login", "signin", "sign-in", "sign_in", "oauth", "authorize"]
        return words.contains { word in word == "sso" || beginnings.contains { word.hasPrefix($0) } }
    }
}

extension HTTPResponseStatus {
    /// Whether whoever does not know a transport may say this to it. Who may come in, and how busy the server is, says
    /// nothing of that.
    var isOfForeigners: Bool {
        (400..<500).contains(self.code) && ![401, 403, 407, 408, 421, 425, 429].contains(self.code)
    }
}

extension HTTPHeaders {
    /// Whether what they come with is a page for people.
    var announcePage: Bool { self.first(name: "Content-Type")?.lowercased().hasPrefix("text/html") ?? false }
}

extension ByteBuffer {
    /// Whether it is a page for people.
    var looksLikePage: Bool { self.readableBytesView.first { !" \t\r\n".utf8.contains($0) } == UInt8(ascii: "<") }

    /// Whether a page is one to sign in by, as far as words tell.
    var asksForSignIn: Bool {
        let text = String(decoding: self.readableBytesView.prefix(64 << 10), as: UTF8.self).lowercased()
        return ["sign in", "signin", "sign-in", "log in", "login"].contains { text.contains($0) }
    }
}
