import NIOHTTP1

/// Which redirects are followed: those that stay within the origin and keep the method, so that no secret leaves for
/// another server and nothing that was to be done is turned into a question.
///
/// From http to https of the same host counts as the same origin, with both at their standard ports: it is how a server
/// says that it has TLS.
enum RedirectRule {
    enum Verdict: Equatable {
        /// It is an answer like any other.
        case answer
        case follow(HTTPAddress)
        case refuse(HTTPFailure.Reason)
    }

    /// In a row.
    static let most = 5

    static func verdict(
        on status: HTTPResponseStatus, location: String?, method: HTTPMethod, at address: HTTPAddress, followed: Int,
        most: Int = Self.most
    ) -> Verdict {
        guard most > 0, [301, 302, 303, 307, 308].contains(status.code), let location else { return .answer }
        guard let target = address.resolving(location), address.isSameServer(as: target) else {
            return .refuse(.redirectedAway(from: "\(address)", to: Self.shown(location, at: address)))
        }
        let keepsMethod = status.code > 303 || method == .GET || method == .HEAD
        guard keepsMethod else {
            return .refuse(.redirectedOtherwise(from: "\(address)", to: "\(target)", status: Int(status.code)))
        }
        guard followed < most else { return .refuse(.redirectedTooOften(from: "\(address)", limit: most)) }
        return .follow(target)
    }

    /// Without a password; an address that nobody understands is shown by its beginning.
    private static func shown(_ location: String, at address: HTTPAddress) -> String {
        address.resolving(location).map { "\($0)" } ?? "'\(location.prefix(100))'"
    }
}
