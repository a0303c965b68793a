package import BridgeCore
package import BridgeMCP

/// One server of the configuration, expanded and with the defaults of `bridge` in place.
package struct UpstreamEntry: Sendable, Hashable {
    package var name: String
    package var target: UpstreamTarget
    package var isEnabled = true
    /// `nil` is the name, the empty string none.
    package var prefix: String?
    package var tools = NameFilter()
    package var prompts = NameFilter()
    package var resources = NameFilter()
    package var oauth = OAuthEntry()
    package var timeouts = UpstreamTimeouts()
    package var share: SharePolicy = .all
    package var lanes = 8
    package var asks: Bool?
    package var roots: [Root] = []
    package var limits = ResourceLimits()
    package var retry: RetryPolicy = .none
    package var start: StartPolicy = .eager
    package var idleStop: Seconds?

    package init(name: String, target: UpstreamTarget) {
        self.name = name
        self.target = target
    }

    /// The name as part of a file's name; see ``ServerName/fileName(of:)``.
    package var fileName: String { ServerName.fileName(of: self.name) }

    /// What the server's tools are shown with: the prefix and the separator, or nothing.
    package func shownPrefix(separator: String) -> String {
        let prefix = self.prefix ?? self.name
        return prefix.isEmpty ? "" : prefix + separator
    }
}
