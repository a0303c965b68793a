import NIOCore

/// Somebody for whom messages wait as long as it does not read.
protocol QueueReader: AnyObject {
    /// What waits: how much, and how many messages that had to wait have left since. Nil where nothing waits.
    var queue: (octets: Int, released: Int)? { get }
    func hangUp()
}

/// Finds the clients that hold everybody up: what is to be sent to them fills the worker's memory, and they take none of it.
///
/// While answers fill the memory, no server is read (``AnswerMeter``). Who reads, however slowly its answers come, makes room by
/// that; who takes nothing for a while is hung up on. Confined to the event loop.
final class StuckReaders {
    /// How long somebody may take nothing while others wait for it.
    static let patience = TimeAmount.seconds(5)

    private let loop: any EventLoop
    private let readers: () -> [any QueueReader]
    /// By reader: how many messages it had taken at the last look.
    private var seen: [ObjectIdentifier: Int] = [:]
    private var look: Scheduled<Void>?

    /// - Parameter readers: all for whom anything may wait.
    init(loop: any EventLoop, readers: @escaping () -> [any QueueReader]) {
        self.loop = loop
        self.readers = readers
    }

    /// The memory is full, or it is not any more.
    func changed(isFull: Bool) {
        self.look?.cancel()
        self.look = nil
        self.seen = [:]
        if isFull { self.lookAgain() }
    }

    private func lookAgain() {
        var seen: [ObjectIdentifier: Int] = [:]
        for reader in self.readers() {
            guard let queue = reader.queue else { continue }
            if self.seen[ObjectIdentifier(reader)] == queue.released {
                reader.hangUp()
            } else {
                seen[ObjectIdentifier(reader)] = queue.released
            }
        }
        self.seen = seen
        self.look = self.loop.assumeIsolated().scheduleTask(in: Self.patience) { [weak self] in self?.lookAgain() }
    }
}
