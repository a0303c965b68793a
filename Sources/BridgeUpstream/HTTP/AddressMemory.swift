import BridgeConfiguration
import BridgeHTTPClient
import NIOCore

/// What has been found out about the server at an address, for as long as that is the configured one. All connections of a
/// worker share it, those to come as well.
final class AddressMemory {
    private var url: String?
    /// How it is spoken to, where nothing is configured of that, in this life of the worker or an earlier one.
    private var dialect: RemoteTarget.Dialect?
    /// Where it redirects requests to, by how it is spoken to.
    private var targets: [RemoteTarget.Dialect: HTTPAddress] = [:]

    /// Until when the server wants to be left in peace, by whoever asks as this target does.
    private var peace: (target: RemoteTarget, end: NIODeadline)?

    /// For how many seconds whoever asks as this target does is to leave the server in peace; `nil` where it may ask.
    func peace(of target: RemoteTarget, now: NIODeadline) -> Int? {
        guard let peace, peace.target == target, peace.end > now else { return nil }
        return RetryAfter.seconds(peace.end - now)
    }

    /// (A connection that is told of this peace says so itself, in whole seconds: that does not make it longer.)
    func keepPeace(of target: RemoteTarget, for seconds: Int, now: NIODeadline) {
        let end = now + Peace.bounded(.seconds(Int64(seconds)))
        if let peace, peace.target == target, peace.end > now, end <= peace.end + .seconds(1) { return }
        self.peace = (target, end)
    }

    /// There is a reason to ask now.
    func endPeace() { self.peace = nil }

    func dialect(of url: String) -> RemoteTarget.Dialect? { self.url == url ? self.dialect : nil }

    func remember(_ dialect: RemoteTarget.Dialect, of url: String) {
        self.begin(url)
        self.dialect = dialect
    }

    /// What was found out in an earlier life.
    func told(_ dialect: RemoteTarget.Dialect, of url: String) {
        if self.dialect(of: url) == nil, dialect != .probe { self.remember(dialect, of: url) }
    }

    func target(of url: String, _ dialect: RemoteTarget.Dialect) -> HTTPAddress? {
        self.url == url ? self.targets[dialect] : nil
    }

    func remember(_ target: HTTPAddress, of url: String, _ dialect: RemoteTarget.Dialect) {
        self.begin(url)
        self.targets[dialect] = target
    }

    /// Requests go where it is configured again, and are redirected again perhaps.
    func forgetTarget(_ dialect: RemoteTarget.Dialect) { self.targets[dialect] = nil }

    func forgetDialect() { self.dialect = nil }

    private func begin(_ url: String) {
        guard self.url != url else { return }
        self.url = url
        self.dialect = nil
        self.targets = [:]
    }
}
