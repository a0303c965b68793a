import BridgeProcess
package import NIOCore

/// Gives memory back to the system after a burst. Confined to its event loop.
package final class HeapKeeper {
    /// Between two looks.
    package static let interval = TimeAmount.seconds(5)

    private let loop: any EventLoop
    private var trim = HeapTrim()

    package init(loop: any EventLoop) {
        self.loop = loop
        ProcessHeap.mapLargeBlocks()
    }

    /// Looks for as long as it lives.
    package func start() {
        self.loop.assumeIsolated().scheduleTask(in: Self.interval) { [weak self] in
            self?.look()
            self?.start()
        }
    }

    private func look() {
        guard self.trim.look(free: ProcessHeap.freeBytes, faults: ProcessHeap.pageFaults) else { return }
        ProcessHeap.trim()
        self.trim.trimmed(faults: ProcessHeap.pageFaults)
    }
}
