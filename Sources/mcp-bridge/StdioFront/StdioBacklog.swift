import NIOCore

/// What waits to be written, and whether the bridge is read meanwhile.
struct StdioBacklog {
    /// Output that nobody has read, in bytes: beyond that the bridge is not read.
    static let full = 8 << 20

    private var lines: [ByteBuffer] = []
    private var octets = 0
    /// Bytes of answers of our own.
    private(set) var own = 0
    private(set) var isFull = false

    /// - Parameter isOwn: whether it comes from us and not from the bridge.
    mutating func append(_ line: ByteBuffer, isOwn: Bool) {
        self.lines.append(line)
        self.octets += line.readableBytes
        if isOwn { self.own += line.readableBytes }
    }

    /// - Returns: whether it is full now, and was not when this was last asked.
    mutating func fills() -> Bool {
        guard self.octets > Self.full, !self.isFull else { return false }
        self.isFull = true
        return true
    }

    /// Takes all of it.
    ///
    /// - Returns: whether it was full, too. The relay, which may be late, must then be told how it is *when it hears*: it may
    ///   be full again.
    mutating func take() -> (output: ByteBuffer, wasFull: Bool) {
        let wasFull = self.isFull
        var all = self.lines.first ?? ByteBuffer()
        for line in self.lines.dropFirst() { all.writeImmutableBuffer(line) }
        self = StdioBacklog()
        return (all, wasFull)
    }
}
