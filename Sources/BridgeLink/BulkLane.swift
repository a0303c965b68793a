import BridgeCore
import DequeModule
import NIOCore

/// Payloads above ``Frame/bulkThreshold``, each on a connection of its own while it travels, so that it delays nobody.
///
/// The side that dialled the link dials these too, when it needs one or is asked with `want`; both sides send on them.
/// They are kept until the link closes. Confined to the link's event loop.
final class BulkLane {
    weak var connection: LinkConnection?
    /// Dials one more connection; nil on the side that was dialled.
    var dial: (() -> Void)?

    private var connections: [BulkConnection] = []
    private var idle: [BulkConnection] = []
    /// Connections being dialled, for either side's wish. Together with those that are there, never too many.
    private var dialling = 0
    /// Connections that the other side has been asked to dial.
    private var asked = 0
    private var queue: Deque<(number: UInt32, payload: ByteBuffer)> = []
    private var nextNumber: UInt32 = 1
    /// Payloads that overtook the frame which announces them.
    private var arrived: [UInt32: ByteBuffer] = [:]
    private var awaited: [UInt32: (ByteBuffer) -> Void] = [:]
    /// Announced payloads that nobody wants any more.
    private var unwanted: Set<UInt32> = []
    private(set) var closed = false
    /// To be called once no payload waits or is being written, or the lane is closed.
    private var onEmpty: [() -> Void] = []

    /// False where the link has no path to dial, such as a socket pair: everything then goes on the one connection.
    var isAvailable: Bool

    init(isAvailable: Bool) { self.isAvailable = isAvailable }

    // MARK: Sending

    /// Queues a payload and returns the number to announce it under.
    func send(_ payload: ByteBuffer) -> UInt32 {
        let number = self.nextNumber
        self.nextNumber &+= 1
        self.queue.append((number, payload))
        self.pump()
        return number
    }

    private func pump() {
        while !self.queue.isEmpty, let connection = self.idle.popLast() {
            let (number, payload) = self.queue.removeFirst()
            connection.send(Frame(.bulk, exchange: number, payload: payload)) { self.returned(connection) }
        }
        // Counted anew each time: a connection may be there, and the queue shorter, as soon as it has been dialled.
        if let dial = self.dial {
            while self.dialling < self.wanted {
                self.dialling += 1
                dial()
            }
        } else {
            while self.asked < self.wanted {
                self.asked += 1
                self.connection?.write(Frame(.want))
            }
        }
    }

    func whenEmpty(_ body: @escaping () -> Void) {
        if self.isEmpty { body() } else { self.onEmpty.append(body) }
    }

    private var isEmpty: Bool { self.queue.isEmpty && self.idle.count == self.connections.count }

    private func emptied() {
        let bodies = self.onEmpty
        self.onEmpty = []
        for body in bodies { body() }
    }

    /// How many more connections would be of use and are allowed.
    private var wanted: Int {
        min(self.queue.count, LinkConnection.maximumBulkConnections - self.connections.count)
    }

    private func returned(_ connection: BulkConnection) {
        guard !self.closed else { return }
        self.idle.append(connection)
        self.pump()
        if self.isEmpty { self.emptied() }
    }

    /// A bulk connection is there, dialled by either side's wish.
    func add(_ connection: BulkConnection) {
        guard !self.closed, self.connections.count < LinkConnection.maximumBulkConnections else {
            return connection.close()
        }
        self.dialling = max(0, self.dialling - 1)
        self.asked = max(0, self.asked - 1)
        self.connections.append(connection)
        self.returned(connection)
    }

    func peerWantsConnection() {
        guard let dial = self.dial, self.connections.count + self.dialling < LinkConnection.maximumBulkConnections
        else { return }
        self.dialling += 1
        dial()
    }

    // MARK: Receiving

    func receive(_ number: UInt32, _ payload: ByteBuffer) {
        if let continuation = self.awaited.removeValue(forKey: number) {
            continuation(payload)
        } else if self.unwanted.remove(number) == nil {
            self.arrived[number] = payload
        }
    }

    func take(_ number: UInt32) -> ByteBuffer? { self.arrived.removeValue(forKey: number) }

    func await(_ number: UInt32, _ continuation: @escaping (ByteBuffer) -> Void) {
        self.awaited[number] = continuation
    }

    func discard(_ number: UInt32) {
        if self.arrived.removeValue(forKey: number) == nil { self.unwanted.insert(number) }
    }

    /// One of the connections is gone, and with it perhaps a payload: the link is not whole any more.
    func lost() {
        guard !self.closed else { return }
        self.connection?.close()
    }

    func close() {
        guard !self.closed else { return }
        self.closed = true
        let connections = self.connections
        self.connections = []
        self.idle = []
        for connection in connections { connection.close() }
        self.queue = []
        self.arrived = [:]
        self.awaited = [:]
        self.dial = nil
        self.emptied()
    }
}

/// One bulk connection: a channel that carries one payload at a time each way.
final class BulkConnection {
    private let channel: any Channel
    private let writer: FrameWriter

    init(channel: any Channel) {
        self.channel = channel
        self.writer = FrameWriter(channel: channel)
    }

    /// - Parameter sent: called once the kernel has taken all of it; not when the connection fails.
    func send(_ frame: Frame, sent: @escaping () -> Void) {
        let promise = self.channel.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess { sent() }
        self.writer.write(frame, promise: promise)
    }

    func close() { self.channel.close(promise: nil) }
}
