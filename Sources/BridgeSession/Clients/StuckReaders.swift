import BridgeLink
import NIOCore

/// Somebody for whom messages wait as long as it does not read.
protocol QueueReader: AnyObject {
    /// What waits: how much, and how many messages that had to wait have left since. Nil where nothing waits.
    var queue: (octets: Int, released: Int)? { get }
    func hangUp()
}

/// What waits on a link, whoever it is for: a stream whose answer has been given is known to nobody else any more.
extension Exchange: QueueReader {
    func hangUp() { self.giveUp(reason: "the client does not read") }
}

/// Finds the clients that hold everybody up: what is to be sent to them fills the worker's memory, and they take none of it.
///
/// While answers fill the memory, no server is read (``AnswerMeter``). Who reads, however slowly its answers come, makes room by
/// that; who takes nothing for a while is hung up on. Confined to the event loop.
final class StuckReaders {
    /// How long somebody may take nothing while others wait for it.
    static let patience = TimeAmount.seconds(5)

    private let loop: any EventLoop
    /// All for whom anything waits.
    var readers: () -> [any QueueReader] = { [] }
    /// Readers, and how many messages each had taken at the last look. Kept, so that nobody else is taken for one of them.
    private var seen: [ObjectIdentifier: (reader: any QueueReader, released: Int)] = [:]
    private var look: Scheduled<Void>?

    init(loop: any EventLoop) { self.loop = loop }

    /// The memory is full, or it is not any more.
    func changed(isFull: Bool) {
        self.look?.cancel()
        self.look = nil
        self.seen = [:]
        if isFull { self.lookAgain() }
    }

    private func lookAgain() {
        var seen: [ObjectIdentifier: (reader: any QueueReader, released: Int)] = [:]
        for reader in self.readers() {
            guard let queue = reader.queue else { continue }
            if self.seen[ObjectIdentifier(reader)]?.released == queue.released {
                reader.hangUp()
            } else {
                seen[ObjectIdentifier(reader)] = (reader, queue.released)
            }
        }
        self.seen = seen
        self.look = self.loop.assumeIsolated().scheduleTask(in: Self.patience) { [weak self] in self?.lookAgain() }
    }
}
