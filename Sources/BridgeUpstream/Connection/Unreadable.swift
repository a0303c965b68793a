import BridgeCore
import NIOCore

/// What a connection has heard and cannot make messages of.
struct Unreadable: Equatable {
    /// All of it, or its beginning.
    let bytes: ByteBuffer
    /// Why, for people.
    var reason: String
    /// JSON texts that stand amid other text, which may be anybody's. So they count only as answers, to what is under way.
    var found: [JSONText] = []
    /// What it seems to be a part of. There will be no other answer.
    var fragment: RPCFragment?
}
