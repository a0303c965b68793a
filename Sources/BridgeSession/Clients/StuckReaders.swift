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

/// Finds the clients that hold everybody up: what is to be sent to them fills the worker's memory.
///
/// While answers fill the memory, no server is read (``AnswerMeter``). That may last a moment, not longer: who takes nothing
/// for a while is hung up on, and in any case whoever has most waiting, as the front does with its slowest reader. One that
/// was not there at the look before is spared. Confined to the event loop.
final class StuckReaders {
    /// From one look to the next: how long everybody may wait for somebody.
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
        var known: [(reader: any QueueReader, octets: Int, tookNothing: Bool)] = []
        for reader in self.readers() {
            guard let queue = reader.queue else { continue }
            if let before = self.seen[ObjectIdentifier(reader)] {
                known.append((reader, queue.octets, before.released == queue.released))
            }
            seen[ObjectIdentifier(reader)] = (reader, queue.released)
        }
        let most = known.max { $0.octets < $1.octets }.map { ObjectIdentifier($0.reader) }
        for (reader, _, tookNothing) in known where tookNothing || ObjectIdentifier(reader) == most {
            seen[ObjectIdentifier(reader)] = nil
            reader.hangUp()
        }
        self.seen = seen
        self.look = self.loop.assumeIsolated().scheduleTask(in: Self.patience) { [weak self] in self?.lookAgain() }
    }
}
