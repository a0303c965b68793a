package import BridgeCore
package import NIOCore

/// What a session id says about its session, sealed inside it. What changes later is in the ``SessionLedger``.
package struct SessionClaims: Sendable, Hashable {
    /// What the client said it can do, as far as the bridge acts on it.
    package struct Capabilities: OptionSet, Sendable, Hashable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let sampling = Capabilities(rawValue: 1)
        package static let samplingTools = Capabilities(rawValue: 2)
        package static let elicitationForm = Capabilities(rawValue: 4)
        package static let elicitationURL = Capabilities(rawValue: 8)
        package static let roots = Capabilities(rawValue: 16)
        /// That it keeps tasks for what it is asked, and lets them be cancelled.
        package static let samplingTasks = Capabilities(rawValue: 32)
        package static let elicitationTasks = Capabilities(rawValue: 64)
        package static let taskCancelling = Capabilities(rawValue: 128)
    }

    /// Tells sessions apart; random.
    package var number: UInt64
    package var revision: ProtocolRevision
    package var capabilities: Capabilities
    /// Whether lists show this client the safe spelling of names.
    package var safeNames: Bool
    /// Whether it lasts as long as its one event stream, and its id is known to the front alone (HTTP+SSE, 2024-11-05).
    package var endsWithStream: Bool
    /// `clientInfo.name`, of a client that can sample: whether it is a source goes by it, too. Of a longer name there is none.
    package var client: String?
    /// Whoever opened the session. Nobody else may use it.
    package var principal: String
    /// Seconds since 1970.
    package var created: UInt64
    package var expires: UInt64

    package init(
        number: UInt64,
        revision: ProtocolRevision,
        capabilities: Capabilities,
        safeNames: Bool,
        principal: String,
        created: UInt64,
        expires: UInt64,
        endsWithStream: Bool = false,
        client: String? = nil
    ) {
        self.number = number
        self.revision = revision
        self.capabilities = capabilities
        self.safeNames = safeNames
        self.endsWithStream = endsWithStream
        self.client = Self.fitting(client)
        self.principal = principal
        self.created = created
        self.expires = expires
    }

    /// A client's name, where it is not too long to be sealed.
    package static func fitting(_ client: String?) -> String? {
        client.flatMap { (1...Self.maximumClient).contains($0.utf8.count) ? $0 : nil }
    }
}

extension SessionClaims: SealedClaims {
    package static let purpose = "mcp-bridge session 1"

    private static let format: UInt8 = 1
    private static let safeNamesFlag: UInt8 = 1
    private static let streamFlag: UInt8 = 2
    private static let clientFlag: UInt8 = 4
    private static let maximumClient = 64
    /// A principal is a short word; a longer one would make a session id that clients may refuse.
    private static let maximumPrincipal = 128

    /// `nil` when the principal is too long.
    package func encoded() -> ByteBuffer? {
        guard self.principal.utf8.count <= Self.maximumPrincipal else { return nil }
        var buffer = ByteBuffer()
        buffer.writeInteger(Self.format)
        buffer.writeInteger(self.number)
        buffer.writeInteger(self.revision.rawValue)
        buffer.writeInteger(self.capabilities.rawValue)
        buffer.writeInteger(
            (self.safeNames ? Self.safeNamesFlag : 0) | (self.endsWithStream ? Self.streamFlag : 0)
                | (self.client == nil ? 0 : Self.clientFlag))
        buffer.writeInteger(self.created)
        buffer.writeInteger(self.expires)
        if let client {
            buffer.writeInteger(UInt8(client.utf8.count))
            buffer.writeString(client)
        }
        buffer.writeString(self.principal)
        return buffer
    }

    package init?(decoding bytes: ByteBuffer) {
        var bytes = bytes
        guard bytes.readInteger(as: UInt8.self) == Self.format,
            let number = bytes.readInteger(as: UInt64.self),
            let revision = bytes.readInteger(as: UInt8.self).flatMap(ProtocolRevision.init(rawValue:)),
            let capabilities = bytes.readInteger(as: UInt8.self),
            let flags = bytes.readInteger(as: UInt8.self),
            let created = bytes.readInteger(as: UInt64.self),
            let expires = bytes.readInteger(as: UInt64.self)
        else { return nil }
        var client: String?
        if flags & Self.clientFlag != 0 {
            guard let length = bytes.readInteger(as: UInt8.self), let name = bytes.readString(length: Int(length)),
                (1...Self.maximumClient).contains(name.utf8.count)
            else { return nil }
            client = name
        }
        guard let principal = bytes.readString(length: bytes.readableBytes) else { return nil }
        self.init(
            number: number,
            revision: revision,
            capabilities: Capabilities(rawValue: capabilities),
            safeNames: flags & Self.safeNamesFlag != 0,
            principal: principal,
            created: created,
            expires: expires,
            endsWithStream: flags & Self.streamFlag != 0,
            client: client
        )
    }
}

extension SessionClaims.Capabilities {
    /// - Parameter declared: the `capabilities` of an `initialize`.
    package init(declared: JSONText?) {
        self = []
        guard let declared else { return }
        if let sampling = declared.present("sampling") {
            self.insert(.sampling)
            if sampling.present("tools") != nil { self.insert(.samplingTools) }
        }
        if let elicitation = declared.present("elicitation") {
            // A bare `elicitation: {}` means forms (client/elicitation, "Capabilities").
            let hasURL = elicitation.present("url") != nil
            if elicitation.present("form") != nil || !hasURL { self.insert(.elicitationForm) }
            if hasURL { self.insert(.elicitationURL) }
        }
        if declared.present("roots") != nil { self.insert(.roots) }
        guard let tasks = declared.present("tasks"), let requests = tasks.present("requests") else { return }
        if self.contains(.sampling), requests.present("sampling")?.present("createMessage") != nil {
            self.insert(.samplingTasks)
        }
        if !self.isDisjoint(with: [.elicitationForm, .elicitationURL]),
            requests.present("elicitation")?.present("create") != nil
        {
            self.insert(.elicitationTasks)
        }
        if tasks.present("cancel") != nil, !self.isDisjoint(with: [.samplingTasks, .elicitationTasks]) {
            self.insert(.taskCancelling)
        }
    }
}

extension JSONText {
    /// A member that says something: null counts as absent.
    fileprivate func present(_ key: StaticString) -> JSONText? { self.value(key).flatMap { $0.isNull ? nil : $0 } }
}
