import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore

/// Whose a resource is. Confined to the event loop.
final class ResourceDirectory {
    private let directory: Directory
    private var owners = ResourceOwners([])
    /// The pages that tools' definitions name, and the places of their servers in the configuration, in this order.
    private var pages: [String: [Int]] = [:]
    /// Of the directory, when ``owners`` and ``pages`` were made.
    private var generation = -1
    private var handedOut = HandedOutURIs()

    init(_ directory: Directory) { self.directory = directory }

    /// The upstreams to ask for a resource, the likeliest first: of those that its caller sees.
    func upstreams(for uri: String, of caller: Caller) -> [UpstreamLink] {
        let listed = self.directory.find(uri, of: .resources, for: caller.view)?.entry.upstream
        self.bringUpToDate()
        let upstreams = self.directory.upstreams
        let isSeen = { caller.seesAll(of: upstreams[$0]) }
        var handedOut = self.pages[uri]?.first(where: isSeen)
        if let number = caller.number, let server = self.handedOut.server(of: uri, in: number) {
            handedOut = upstreams.firstIndex { $0.route.name == server } ?? handedOut
        }
        return self.owners.candidates(for: uri, listed: listed, handedOut: handedOut, isSeen: isSeen)
            .map { upstreams[$0] }
    }

    /// The upstreams that have a template, by its exact text, the first in the configuration first.
    func upstreams(ofTemplate text: String, of caller: Caller) -> [UpstreamLink] {
        self.bringUpToDate()
        return self.owners.owners(ofTemplate: text).map { self.directory.upstreams[$0] }
            .filter(caller.seesAll)
    }

    /// Remembers what a result names beside the resource that was asked for.
    func note(_ response: ByteBuffer, of asked: String?, for caller: Caller, from upstream: UpstreamLink) {
        guard upstream.hasResources, let number = caller.number else { return }
        for uri in ResourceMentions.uris(in: response) where uri != asked {
            self.handedOut.note(uri, in: number, by: upstream.route.name)
        }
    }

    /// Remembers a part of what a session has subscribed to, which it is told of.
    func note(part uri: String, in session: UInt64, from upstream: UpstreamLink) {
        self.handedOut.note(uri, in: session, by: upstream.route.name)
    }

    /// A session is over.
    func forget(session: UInt64) { self.handedOut.forget(session: session) }

    private func bringUpToDate() {
        let directory = self.directory
        guard directory.generation != self.generation else { return }
        self.generation = directory.generation
        self.owners = ResourceOwners(
            directory.upstreams.map { upstream in
                let templates = (upstream.list(of: .templates) ?? []).compactMap { $0.string("uriTemplate") }
                return .init(
                    hasResources: upstream.hasResources, filter: upstream.route.filter(of: .resources),
                    templates: templates)
            })
        self.pages = [:]
        for (index, upstream) in directory.upstreams.enumerated() where upstream.hasResources {
            for tool in upstream.list(of: .tools) ?? [] {
                guard let page = ResourceMentions.page(ofTool: tool), self.pages[page]?.last != index else { continue }
                self.pages[page, default: []].append(index)
            }
        }
    }
}
