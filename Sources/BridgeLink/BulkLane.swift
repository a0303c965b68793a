import BridgeCore
import DequeModule
import NIOCore

/// Payloads above ``Frame/bulkThreshold``, each on a connection of its own while it travels, so that it delays nobody.
///
/// One that opens an exchange is sent when the receiver has granted it; up to ``aheadLimit`` bytes may go before that. The
/// side that dialled the link dials these connections too, when it needs one or is asked with `want`; both sides send on
/// them. They are kept until the link is lost. Confined to the link's event loop.
final class BulkLane {
    /// How much may be sent before the receiver has said that it has room. Little enough to be borne, enough that one
    /// payload at a time never waits for the word.
    static let aheadLimit = 4 << 20

    /// Owns the lane, and takes itself out when it goes. (Not weak: every reference to what has a weak one costs more.)
    unowned var connection: LinkConnection?
    /// Dials one more connection; nil on the side that was dialled.
    var dial: (() -> Void)?

    struct Piece {
        let number: UInt32
        let payload: ByteBuffer
        let hold: PayloadHold?
    }

    private var connections: [BulkConnection] = []
    private var idle: [BulkConnection] = []
    /// Connections being dialled, for either side's wish. Together with those that are there, never too many.
    private var dialling = 0
    /// Connections that the other side has been asked to dial.
    private var asked = 0
    /// What may go as soon as a connection is free.
    private var queue: Deque<Piece> = []
    /// What waits for the receiver's word.
    private var ungranted: [UInt32: Piece] = [:]
    /// What was sent ahead of it, in bytes.
    private var ahead: [UInt32: Int] = [:]
    private var aheadOctets = 0
    private var nextNumber: UInt32 = 1
    /// Payloads that overtook the frame which announces them.
    private var arrived: [UInt32: ByteBuffer] = [:]
    private var awaited: [UInt32: (ByteBuffer) -> Void] = [:]
    /// Announced payloads that nobody wants any more.
    private var unwanted: Set<UInt32> = []
    private var isReading = true
    private var isSending = true
    private(set) var closed = false
    /// To be called once no payload waits or is being written, or the lane is closed.
    private var onEmpty: [() -> Void] = []

    /// False where the link has no path to dial, such as a socket pair: everything then goes on the one connection.
    var isAvailable: Bool

    init(isAvailable: Bool) { self.isAvailable = isAvailable }

    // MARK: Sending

    /// Queues a payload and returns the number to announce it under, and whether it comes without being asked for.
    ///
    /// - Parameter asks: whether the receiver is to say first that it has room.
    func send(_ payload: ByteBuffer, hold: PayloadHold?, asks: Bool) -> (number: UInt32, isAhead: Bool) {
        let number = self.nextNumber
        self.nextNumber &+= 1
        let piece = Piece(number: number, payload: payload, hold: hold)
        if asks {
            guard self.aheadOctets + payload.readableBytes <= Self.aheadLimit else {
                self.ungranted[number] = piece
                return (number, false)
            }
            self.ahead[number] = payload.readableBytes
            self.aheadOctets += payload.readableBytes
        }
        self.queue.append(piece)
        self.pump()
        return (number, true)
    }

    /// The receiver has room for it, or has dealt with what was sent ahead.
    func granted(_ number: UInt32) {
        if let octets = self.ahead.removeValue(forKey: number) { self.aheadOctets -= octets }
        guard let piece = self.ungranted.removeValue(forKey: number) else { return }
        self.queue.append(piece)
        self.pump()
    }

    /// Takes a payload back that waits for the receiver's word.
    ///
    /// - Returns: whether it will never be sent now.
    func withdraw(_ number: UInt32) -> Bool { self.ungranted.removeValue(forKey: number) != nil }

    private func pump() {
        guard self.isSending else { return }
        while !self.queue.isEmpty, let connection = self.idle.popLast() {
            let piece = self.queue.removeFirst()
            let frame = Frame(.bulk, exchange: UInt64(piece.number), payload: piece.payload)
            connection.send(frame, hold: piece.hold) {
                self.returned(connection)
            }
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
        guard !self.closed, self.isSending, self.connections.count < LinkConnection.maximumBulkConnections else {
            return connection.close()
        }
        self.dialling = max(0, self.dialling - 1)
        self.asked = max(0, self.asked - 1)
        if !self.isReading { connection.setReading(false) }
        self.connections.append(connection)
        self.returned(connection)
    }

    func peerWantsConnection() {
        guard self.isSending, let dial = self.dial,
            self.connections.count + self.dialling < LinkConnection.maximumBulkConnections
        else { return }
        self.dialling += 1
        dial()
    }

    // MARK: Receiving

    func setReading(_ isReading: Bool) {
        self.isReading = isReading
        for connection in self.connections { connection.setReading(isReading) }
    }

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

    /// Nobody wants a payload that is on its way or here.
    func discard(_ number: UInt32) {
        self.awaited[number] = nil
        if self.arrived.removeValue(forKey: number) == nil { self.unwanted.insert(number) }
    }

    /// A payload that was announced will not come.
    func forget(_ number: UInt32) { self.awaited[number] = nil }

    // MARK: The end

    /// No connection is left.
    var isGone: Bool { self.connections.isEmpty }

    /// One of the connections is gone, or cannot be had, and with it perhaps a payload: the link is not whole any more.
    func lost(_ channel: (any Channel)? = nil) {
        guard !self.closed else { return }
        if let channel { self.connections.removeAll { $0.isOn(channel) } }
        self.connection?.lost()
    }

    /// Nothing more is sent or dialled; what comes is still taken.
    func stopSending() {
        self.isSending = false
        for connection in self.connections { connection.stopSending() }
    }

    /// Closes all connections.
    ///
    /// - Returns: the pieces of which nothing has left, by their numbers.
    func close() -> [UInt32: Piece] {
        guard !self.closed else { return [:] }
        self.closed = true
        self.isSending = false
        let connections = self.connections
        self.connections = []
        self.idle = []
        for connection in connections { connection.close() }
        var unsent = self.ungranted
        for piece in self.queue { unsent[piece.number] = piece }
        self.queue = []
        self.ungranted = [:]
        self.ahead = [:]
        self.arrived = [:]
        self.awaited = [:]
        self.dial = nil
        self.emptied()
        return unsent
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
    func send(_ frame: Frame, hold: PayloadHold?, sent: @escaping () -> Void) {
        let promise = self.channel.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess { sent() }
        self.writer.write(frame, promise: promise, hold: hold)
    }

    func setReading(_ isReading: Bool) { self.channel.setReading(isReading) }

    func isOn(_ channel: any Channel) -> Bool { self.channel === channel }

    func stopSending() { self.channel.stopSending() }

    func close() { self.channel.close(promise: nil) }
}

extension Channel {
    /// Whether more is read of what the peer sends. Called on the channel's event loop; a channel that is closed stays so.
    func setReading(_ isReading: Bool) { try? self.syncOptions?.setOption(.autoRead, value: isReading) }

    /// Tells the peer that nothing more comes, behind what has been written.
    func stopSending() { if self.isActive { self.close(mode: .output, promise: nil) } }
}
