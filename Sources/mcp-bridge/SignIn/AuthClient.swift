import ArgumentParser
import BridgeCore
import BridgeLink
import NIOCore
import NIOPosix

/// Asks the running service about signing in to its upstreams.
struct AuthClient {
    private let control: ControlClient

    /// - Parameter path: the service's control socket, where the user has named it.
    init(path: String?) throws { self.control = try ControlClient(path: path) }

    /// The worker may ask an authorization server first.
    private static let patience = TimeAmount.seconds(120)

    func ask(_ request: OAuthRequest, of name: String) throws -> OAuthAnswer {
        let answer = try self.control.ask(.oauth(name: name, request), timeout: Self.patience)
        return Self.read(answer.body)
    }

    /// How things are with every upstream.
    func all() throws -> JSONText {
        try self.control.ask(.oauth(name: "", .status), timeout: Self.patience).body
    }

    /// Waits for the end of the sign-in, beside whatever the caller does meanwhile.
    ///
    /// - Parameter done: called on another thread.
    func wait(
        for name: String, atMost time: TimeAmount, _ done: @escaping @Sendable (Result<OAuthAnswer, any Error>) -> Void
    ) {
        LinkConnection.askOnce(
            path: self.control.path, on: MultiThreadedEventLoopGroup.singleton.next(),
            header: ControlRequest.oauth(name: name, .wait).text, payload: nil, timeout: time
        ).whenComplete { result in
            done(result.map { Self.read($0.payload.map { JSONText(trusting: $0) } ?? .emptyObject) })
        }
    }

    private static func read(_ body: JSONText) -> OAuthAnswer {
        OAuthAnswer(body) ?? OAuthAnswer(isDone: false, text: body.string("error") ?? "The service did not say why.")
    }
}
