import BridgeCore
package import NIOCore

/// What the id of a task says, sealed inside it: whose it is, and what its server calls it. No table is needed to know it
/// again, so it is good after any restart.
///
/// The same claims always make the same id: clients compare them.
package struct TaskClaims: Sendable, Hashable {
    package var key: TaskKey
    /// Whoever made it. It is nobody else's business.
    package var principal: String
    /// The session that it was made in.
    package var session: UInt64
    /// When its server said that it has it, in seconds since 1970.
    package var created: UInt64

    package init(key: TaskKey, principal: String, session: UInt64, created: UInt64) {
        self.key = key
        self.principal = principal
        self.session = session
        self.created = created
    }

    /// No task is known for longer, whatever its server says: as long as a session is good, seven days.
    package static let lifetime: UInt64 = 7 * 86_400

    package var expires: UInt64 { self.created + Self.lifetime }
}

/// What tells tasks apart. Servers may count theirs from one after each start, so a task belongs to one life of its server.
package struct TaskKey: Sendable, Hashable {
    package var server: String
    /// A connection to the server, by a random number.
    package var life: Int
    /// As the server calls it.
    package var ownID: String

    package init(server: String, life: Int, ownID: String) {
        self.server = server
        self.life = life
        self.ownID = ownID
    }
}

extension TaskClaims: SealedClaims {
    package static let purpose = "mcp-bridge task 1"
    package static let isSteady = true
    package static let maximumLength = 2_048

    private static let format: UInt8 = 1
    /// Of what a server calls its task.
    package static let maximumOwnID = 1_024
    private static let maximumName = 128

    /// `nil` when a name is too long.
    package func encoded() -> ByteBuffer? {
        guard self.principal.utf8.count <= Self.maximumName, self.key.server.utf8.count <= Self.maximumName,
            self.key.ownID.utf8.count <= Self.maximumOwnID
        else { return nil }
        var buffer = ByteBuffer()
        buffer.writeInteger(Self.format)
        buffer.writeInteger(Int64(self.key.life))
        buffer.writeInteger(self.session)
        buffer.writeInteger(self.created)
        for name in [self.key.server, self.principal] {
            buffer.writeInteger(UInt8(name.utf8.count))
            buffer.writeString(name)
        }
        buffer.writeString(self.key.ownID)
        return buffer
    }

    package init?(decoding bytes: ByteBuffer) {
        var bytes = bytes
        guard bytes.readInteger(as: UInt8.self) == Self.format,
            let life = bytes.readInteger(as: Int64.self),
            let session = bytes.readInteger(as: UInt64.self),
            let created = bytes.readInteger(as: UInt64.self), created < 1 << 48,
            let server = Self.name(&bytes), let principal = Self.name(&bytes),
            let ownID = bytes.readString(length: bytes.readableBytes)
        else { return nil }
        self.init(
            key: TaskKey(server: server, life: Int(life), ownID: ownID), principal: principal, session: session,
            created: created)
    }

    private static func name(_ bytes: inout ByteBuffer) -> String? {
        bytes.readInteger(as: UInt8.self).flatMap { bytes.readString(length: Int($0)) }
    }
}

/// Ids of tasks as clients know them: `<server>:<sealed>`.
package struct TaskNames: Sendable {
    private let seal: Seal<TaskClaims>

    /// `nil` unless the key is 32 bytes in base64.
    package init?(base64Key: String) {
        guard let seal = Seal<TaskClaims>(base64Key: base64Key) else { return nil }
        self.seal = seal
    }

    /// `nil` when the server's own id is too long.
    package func name(of claims: TaskClaims) -> String? {
        self.seal.seal(claims).map { "\(claims.key.server):\($0)" }
    }

    /// The claims in an id that this very bridge has given out; of any other nothing.
    package func claims(in name: String) -> TaskClaims? {
        guard let colon = name.utf8.lastIndex(of: UInt8(ascii: ":")),
            let claims = self.seal.open(String(name[name.index(after: colon)...])),
            claims.key.server.utf8.elementsEqual(name[..<colon].utf8)
        else { return nil }
        return claims
    }
}
