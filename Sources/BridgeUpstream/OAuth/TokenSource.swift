import BridgeOAuth

/// What a request is sent with.
enum BearerCredential: Equatable {
    case none
    /// A whole value of `Authorization`.
    case bearer(String, generation: Int)
    /// Another one is under way; ``TokenSource/whenSettled(_:)`` tells.
    case wait
    /// It is not sent: why.
    case refuse(String)
}

/// Where connections have their tokens from. Confined to its event loop.
protocol TokenSource: AnyObject {
    /// What the next request is sent with.
    var credential: BearerCredential { get }

    /// Why it says to wait, for people.
    var hindrance: String { get }

    /// Calls back in a later turn, once ``credential`` says no longer to wait.
    func whenSettled(_ body: @escaping () -> Void)

    /// The server answered 401.
    ///
    /// - Parameters:
    ///   - generation: of the token that the request was sent with; nil when it had none.
    ///   - challenge: what the server said with it.
    func refused(generation: Int?, _ challenge: BearerChallenge?) -> TokenKeeper.Refusal

    /// The server took a request that was sent with this token, or with none.
    func accepted(generation: Int?)

    /// The server answered 403 for want of rights.
    ///
    /// - Returns: what to tell people.
    func lacked(_ challenge: BearerChallenge, operation: String) -> String

    /// The server answers who has no token in a way that may mean that it wants one.
    ///
    /// - Returns: what to tell people, once it is known that it does.
    func wondered() -> String?
}
