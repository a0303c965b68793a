import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import Logging
import NIOCore

/// The upstreams, and the catalogue that is merged of what they offer.
extension SessionWorker {
    func makeUpstream(_ route: UpstreamRoute, warm: [JSONText]?) -> UpstreamLink {
        let upstream = UpstreamLink(
            route: route, warm: warm, listWait: self.configuration.listWait, loop: self.loop, logger: self.logger
        )
        upstream.onCatalogue = { [weak self, weak upstream] in
            guard let self else { return }
            if let level = self.levels.wanted(lowest: self.ledger.lowestLevel), upstream?.takesLogLevel == true {
                upstream?.set(level: level)
            }
            self.catalogueChanged()
        }
        upstream.onSettled = { [weak self] in self?.serveWaitingRequests() }
        upstream.isReading = !self.answers.isFull
        upstream.onNote = { [weak self, weak upstream] note in
            if let self, let upstream { self.broadcast(note, from: upstream) }
        }
        return upstream
    }

    /// Merges once per turn of the loop, however many upstreams have news.
    private func catalogueChanged() {
        guard !self.catalogueIsDue else { return }
        self.catalogueIsDue = true
        self.loop.assumeIsolated().execute { self.bringCatalogueUpToDate() }
    }

    /// Merges now what is due for the end of this turn.
    func bringCatalogueUpToDate() {
        if self.catalogueIsDue { self.updateCatalogue() }
    }

    private func updateCatalogue() {
        self.catalogueIsDue = false
        let merged = self.merged()
        let isOther = merged.dotList != self.catalogue.dotList
        for collision in Set(merged.collisions).subtracting(self.catalogue.collisions) {
            self.logger.warning(
                "Tool name is taken; the later tool is refused",
                metadata: [
                    "mcp.tool": "\(collision.name)", "mcp.upstream": "\(collision.refused)",
                    "owner": "\(collision.kept)",
                ]
            )
        }
        self.catalogue = merged
        self.scheduleCacheWrite()
        if isOther {
            self.catalogueChangedAt = WallClock.seconds()
            for session in self.sessions.values { session.toolsChanged() }
        }
        self.serveWaitingRequests()
    }

    func merged() -> ToolCatalogue {
        ToolCatalogue(
            sources: self.upstreams.map {
                .init(
                    name: $0.route.name, prefix: $0.route.prefix ?? $0.route.name, filter: $0.route.tools,
                    tools: $0.tools
                )
            },
            separator: self.configuration.separator
        )
    }

    /// Soon, so that even a worker that dies young leaves its successor warm; once for news that come together.
    private func scheduleCacheWrite() {
        guard !self.cacheIsDue else { return }
        self.cacheIsDue = true
        self.loop.assumeIsolated().scheduleTask(in: .milliseconds(50)) { [weak self] in _ = self?.writeCache() }
    }

    func writeCache() -> EventLoopFuture<Void> {
        guard self.cacheIsDue else { return self.loop.makeSucceededVoidFuture() }
        self.cacheIsDue = false
        var cache = ToolsCache()
        for upstream in self.upstreams {
            cache.toolsByUpstream[upstream.route.name] = upstream.tools
            cache.programsByUpstream[upstream.route.name] = upstream.route.program
        }
        let written = self.files.replaceCache(with: cache, updatedAt: WallClock.iso8601(), on: self.loop)
        let logger = self.logger
        written.whenFailure { error in
            logger.error("Tool cache cannot be written", metadata: ["error": "\(error)"])
        }
        return written
    }
}
