import BridgeMCP
import Logging
import NIOCore

/// Writes the file that keeps lists warm: soon after they change, so that even a worker that dies young leaves its
/// successor warm; once for news that come together. Confined to the event loop.
final class CacheKeeper {
    /// What is to be written, as it is now.
    var content: (() -> CatalogueCache)?

    private let files: StateFiles
    private let loop: any EventLoop
    private let logger: Logger
    private var isDue = false

    init(files: StateFiles, loop: any EventLoop, logger: Logger) {
        self.files = files
        self.loop = loop
        self.logger = logger
    }

    func changed() {
        guard !self.isDue else { return }
        self.isDue = true
        self.loop.assumeIsolated().scheduleTask(in: .milliseconds(50)) { [weak self] in _ = self?.write() }
    }

    /// Writes now what is due; succeeds at once where nothing is.
    func write() -> EventLoopFuture<Void> {
        guard self.isDue, let content = self.content else { return self.loop.makeSucceededVoidFuture() }
        self.isDue = false
        let written = self.files.replaceCache(with: content(), updatedAt: "\(WallClock.now())", on: self.loop)
        let logger = self.logger
        written.whenFailure { error in
            logger.error("Tool cache cannot be written", metadata: ["error": "\(error)"])
        }
        return written
    }
}
