import BridgeCore
import BridgeMCP
import NIOCore

/// What a bridge that is away would answer, as far as it can be told from the file in which it keeps its lists.
struct WarmLists {
    /// The file as it was read.
    struct File: Sendable {
        let bytes: ByteBuffer
        /// As the command was told; nil: as the bridge does it.
        let names: Stdio.Names?
    }

    private let catalogue: Catalogue
    private let display: CatalogueDisplay?
    private let names: Stdio.Names?

    init(_ file: File) {
        let cache = CatalogueCache(parsing: file.bytes, of: Offering.all)
        self.catalogue = cache.catalogue()
        self.display = cache.display
        self.names = file.names
    }

    /// A bridge that has never listed anything is not spoken for.
    var isEmpty: Bool { self.catalogue.sections.allSatisfy { $0.entries.isEmpty } }

    /// - Parameter hello: the client's `initialize`.
    func list(_ request: StdioMessage.Request, for hello: StdioMessage.Hello?) -> ByteBuffer? {
        guard !request.hasCursor, let offering = Offering.all.first(where: { $0.listMethod == request.method }) else {
            return nil
        }
        return try? self.catalogue[offering].reply(
            to: request.id.bytes, cursor: nil, size: nil, safe: self.showsSafeNames(to: hello?.client))
    }

    private func showsSafeNames(to client: String?) -> Bool {
        switch self.names {
        case .dot: false
        case .safe: true
        case nil: self.display?.showsSafeNames(to: client) ?? false
        }
    }

    /// The answer to `initialize`. What is promised, the bridge keeps when it comes.
    func welcome(_ hello: StdioMessage.Hello) -> ByteBuffer {
        let revision = ProtocolRevision.negotiated(for: hello.revision)
        let offered = Offering.all.filter { $0 == .tools || !self.catalogue[$0].entries.isEmpty }
        let result = JSONWriter.object { result in
            result.member("protocolVersion", revision.name)
            result.memberObject("capabilities") { capabilities in
                capabilities.memberObject("logging") { _ in }
                var told: Set<String> = []
                for offering in offered where told.insert(offering.capability).inserted {
                    capabilities.memberObject(offering.capability) {
                        $0.member("listChanged", true)
                        if offering.capability == Offering.resources.capability { $0.member("subscribe", true) }
                    }
                }
                let isCompleted = offered.contains(.prompts) || offered.contains(.templates)
                if isCompleted, revision >= .v2025_03_26 { capabilities.memberObject("completions") { _ in } }
            }
            result.memberObject("serverInfo") { info in
                info.member("name", "mcp-bridge")
                info.member("version", BridgeVersion.text)
            }
        }
        return RPCReply.result(id: hello.id.bytes, result)
    }
}
