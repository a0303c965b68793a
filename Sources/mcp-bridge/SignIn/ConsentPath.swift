import BridgeCore
import BridgeHTTPClient

/// The way through the consent page of an authorization server that asks its owner for a password: what to do about each of its
/// answers.
///
/// Pure: it sends nothing. The password is named for one page only: `/consent` with a `txn`, on the authorization server's own
/// origin. Anything else is for a person with a browser.
struct ConsentPath {
    enum Step: Equatable {
        case get(HTTPAddress)
        /// The form goes to this address; the password joins it there.
        case fill(HTTPAddress, transaction: String)
        /// The browser would come back with this.
        case back(query: String)
        case giveUp(String)
    }

    /// Redirects that are followed.
    private static let most = 5

    /// Where the browser is sent back to.
    private let redirect: String
    private let issuer: HTTPAddress?
    private var address: HTTPAddress?
    private var followed = 0
    private var isFilled = false

    init(issuer: String, redirect: String) {
        self.issuer = HTTPAddress(issuer)
        self.redirect = redirect
    }

    mutating func begin(at url: String) -> Step { self.go(to: HTTPAddress(url)) }

    /// The address that was asked has answered.
    mutating func answered(status: Int, location: String?) -> Step {
        guard [301, 302, 303, 307, 308].contains(status), let location else {
            if self.isFilled { return .giveUp("the page did not take the owner's password (HTTP \(status))") }
            return .giveUp("there is no consent page, but another one (HTTP \(status))")
        }
        if location.hasPrefix(self.redirect + "?") {
            return .back(query: String(location.dropFirst(self.redirect.count + 1)))
        }
        self.followed += 1
        guard self.followed <= Self.most else { return .giveUp("it redirects more than \(Self.most) times") }
        guard let target = self.address?.resolving(location) else { return .giveUp("it redirects to no address") }
        return self.go(to: target, query: Self.query(of: location))
    }

    private mutating func go(to address: HTTPAddress?, query: String = "") -> Step {
        guard let address, let issuer, address.isSameOrigin(as: issuer) else {
            return .giveUp("the page is not on the authorization server's own origin")
        }
        guard address.isPrivateToSend else { return .giveUp("the page is not reached by https") }
        self.address = address
        guard !self.isFilled, address.path == "/consent", let transaction = FormFields(query)["txn"] else {
            return .get(address)
        }
        self.isFilled = true
        return .fill(address, transaction: transaction)
    }

    private static func query(of location: String) -> String {
        guard let start = location.firstIndex(of: "?") else { return "" }
        return String(location[location.index(after: start)...].prefix { $0 != "#" })
    }
}
