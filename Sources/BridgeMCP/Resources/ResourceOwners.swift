import BridgeCore

/// Which upstreams a resource's URI may belong to: URIs have no prefix that would say so.
///
/// Made anew when a list changes, read for every request about a resource.
package struct ResourceOwners: Sendable {
    /// What is known of one upstream, in the order of the configuration.
    package struct Server: Sendable {
        /// Whether it has resources at all.
        package var hasResources: Bool
        package var filter: NameFilter
        /// The templates that it lists, shown or not.
        package var templates: [String]

        package init(hasResources: Bool, filter: NameFilter, templates: [String]) {
            self.hasResources = hasResources
            self.filter = filter
            self.templates = templates
        }
    }

    private struct Known: Sendable {
        let server: Int
        let template: URITemplate
        let isShown: Bool
        /// Kept back by name: what is made from it is not to be guessed.
        let isDenied: Bool
    }

    /// Of one server no more templates are looked at.
    private static let maximumTemplates = 1_000
    /// What is spent on finding whose a URI is, in comparisons of a byte. Templates beyond it are not looked at.
    private static let allowance = 4 << 20

    private let servers: [Server]
    /// The longest literal beginning first, then in the order of the configuration.
    private let templates: [Known]

    package init(_ servers: [Server]) {
        self.servers = servers
        self.templates = servers.enumerated().flatMap { index, server in
            server.templates.prefix(Self.maximumTemplates).compactMap { text in
                URITemplate(text).map {
                    Known(
                        server: index, template: $0, isShown: server.filter.admits(template: text),
                        isDenied: server.filter.denies(template: text))
                }
            }
        }.enumerated().sorted { left, right in
            let (first, second) = (left.element.template.literalPrefix, right.element.template.literalPrefix)
            return first == second ? left.offset < right.offset : first > second
        }.map(\.element)
    }

    /// The upstreams to ask for a resource, in this order, each once.
    ///
    /// - Parameters:
    ///   - listed: the one that lists the URI.
    ///   - handedOut: the one whose result named it lately.
    ///   - isSeen: whether an upstream is there for whoever asks.
    package func candidates(
        for uri: String, listed: Int?, handedOut: Int?, isSeen: (Int) -> Bool = { _ in true }
    ) -> [Int] {
        var candidates: [Int] = []
        var isKeptBack: Set<Int> = []
        func add(_ server: Int) {
            guard !candidates.contains(server), self.servers.indices.contains(server), isSeen(server),
                self.servers[server].filter.admits(uri: uri)
            else { return }
            candidates.append(server)
        }
        if let listed { add(listed) }
        if let handedOut { add(handedOut) }
        var allowance = Self.allowance
        for known in self.templates {
            allowance -= known.template.weight * uri.utf8.count
            guard allowance > 0 else { break }
            guard known.template.matches(uri) else { continue }
            if known.isDenied { isKeptBack.insert(known.server) } else { add(known.server) }
        }
        guard candidates.isEmpty else { return candidates }
        // A URI that nobody has told us of: it can only be guessed where there is one to guess.
        let owners = self.servers.indices.filter { self.servers[$0].hasResources }
        if owners.count == 1, !isKeptBack.contains(owners[0]) { add(owners[0]) }
        return candidates
    }

    /// The upstreams that have a template, by its exact text, for completion: in the order of the configuration, each once.
    package func owners(ofTemplate text: String) -> [Int] {
        var owners: [Int] = []
        for known in self.templates where known.isShown && known.template.text.utf8.elementsEqual(text.utf8) {
            if owners.last != known.server { owners.append(known.server) }
        }
        return owners
    }
}

extension NameFilter {
    /// Whether a template may be shown: its text is compared as a URI's would be, as far as it is one.
    package func admits(template: String) -> Bool {
        if self.denies(template: template) { return false }
        guard let allow = self.allow else { return true }
        return Self.matches(template, allow)
    }

    /// Whether a template is kept back by name. One that is only not allowed may still make URIs that are.
    func denies(template: String) -> Bool { !self.deny.isEmpty && Self.matches(template, self.deny) }

    private static func matches(_ template: String, _ patterns: [String]) -> Bool {
        let text = ResourceURI.normalised(pattern: template)
        return patterns.contains { Glob.matches(text, pattern: ResourceURI.normalised(pattern: $0)) }
    }
}
