import NIOCore

/// The fields of the event that is being read.
struct EventBlock {
    /// Bytes of all lines so far, comments aside.
    private(set) var length = 0
    private var name = ""
    private var data: ByteBuffer?
    /// Whether `data` is a copy of ours, and no longer a piece of what was read.
    private var ownsData = false
    private var id: String?
    private var retry: Int?

    /// Takes one line, which is not blank and has no line end.
    mutating func take(_ line: ByteBuffer) {
        guard let (field, value) = Self.split(line) else { return }
        self.length += line.readableBytes
        switch field {
        case .data: self.append(value)
        case .event: self.name = String(buffer: value)
        case .id:
            if !value.readableBytesView.contains(0) { self.id = String(buffer: value) }
        case .retry:
            if let time = Self.milliseconds(value) { self.retry = time }
        }
    }

    /// What the block says, if it says anything, and a new beginning.
    mutating func finish(isUnfinished: Bool = false) -> ServerSentEvent? {
        defer { self = EventBlock() }
        guard self.data != nil || self.id != nil || self.retry != nil else { return nil }
        return ServerSentEvent(
            name: self.name.isEmpty ? ServerSentEvent.standardName : self.name, data: self.data, id: self.id,
            retry: self.retry, isUnfinished: isUnfinished
        )
    }

    private mutating func append(_ value: ByteBuffer) {
        guard var whole = self.data else {
            // Not copied: nearly every event has one line of data.
            self.data = value
            return
        }
        self.data = nil
        if !self.ownsData {
            // Room to double in, so that many short lines are not copied again and again.
            var copy = ByteBuffer()
            copy.reserveCapacity(2 * (whole.readableBytes + value.readableBytes + 1))
            copy.writeImmutableBuffer(whole)
            whole = copy
            self.ownsData = true
        }
        whole.writeInteger(UInt8(ascii: "\n"))
        whole.writeImmutableBuffer(value)
        self.data = whole
    }
}

extension EventBlock {
    private enum Field { case data, event, id, retry }

    /// - Returns: `nil` for a comment and for a field that nobody knows.
    private static func split(_ line: ByteBuffer) -> (Field, ByteBuffer)? {
        let view = line.readableBytesView
        // No name that is known is longer than five bytes.
        let colon = view.prefix(6).firstIndex(of: UInt8(ascii: ":"))
        guard let field = Self.field(view[..<(colon ?? view.endIndex)]) else { return nil }
        var value = line
        guard let colon else {
            value.clear()
            return (field, value)
        }
        value.moveReaderIndex(to: colon + 1)
        if value.getInteger(at: value.readerIndex, as: UInt8.self) == UInt8(ascii: " ") {
            value.moveReaderIndex(forwardBy: 1)
        }
        return (field, value)
    }

    private static func field(_ name: ByteBufferView) -> Field? {
        func matches(_ text: StaticString) -> Bool {
            text.withUTF8Buffer { $0.elementsEqual(name) }
        }
        switch name.count {
        case 4 where matches("data"): return .data
        case 2 where matches("id"): return .id
        case 5 where matches("event"): return .event
        case 5 where matches("retry"): return .retry
        default: return nil
        }
    }

    /// Digits and nothing else.
    private static func milliseconds(_ value: ByteBuffer) -> Int? {
        guard value.readableBytes > 0 else { return nil }
        var time = 0
        for byte in value.readableBytesView {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            time = min(time * 10 + Int(byte - UInt8(ascii: "0")), ServerSentEvent.maximumRetry)
        }
        return time
    }
}
