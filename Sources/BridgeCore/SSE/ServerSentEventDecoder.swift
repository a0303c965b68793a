package import NIOCore

/// Cuts an event stream into events (WHATWG HTML, "Parsing an event stream").
///
/// Lines end with CR LF, LF or CR, mixed as the server likes. A CR ends its line at once, and a LF that comes next is
/// skipped then, so that no event waits for the byte behind it. One byte order mark at the start is skipped.
package struct ServerSentEventDecoder: NIOSingleStepByteToMessageDecoder {
    package typealias InboundOut = ServerSentEvent

    /// In bytes, of the lines of one event and of a single line.
    package let maximumEvent: Int
    private var block = EventBlock()
    /// Bytes at the front of the buffer that hold no line end.
    private var scanned = 0
    private var isAtStart = true
    private var skipsLineFeed = false

    package init(maximumEvent: Int = Frame.maximumPayload) {
        self.maximumEvent = maximumEvent
    }

    package mutating func decode(buffer: inout ByteBuffer) throws(ServerSentEventError) -> ServerSentEvent? {
        guard self.skipMark(&buffer, isLast: false) else { return nil }
        return try self.nextEvent(&buffer)
    }

    package mutating func decodeLast(
        buffer: inout ByteBuffer, seenEOF: Bool
    ) throws(ServerSentEventError) -> ServerSentEvent? {
        _ = self.skipMark(&buffer, isLast: seenEOF)
        if let event = try self.nextEvent(&buffer) { return event }
        guard seenEOF else { return nil }
        // The last line has no end.
        self.scanned = 0
        if let rest = buffer.readSlice(length: buffer.readableBytes), rest.readableBytes > 0 { self.block.take(rest) }
        return self.block.finish(isUnfinished: true)
    }

    private mutating func nextEvent(_ buffer: inout ByteBuffer) throws(ServerSentEventError) -> ServerSentEvent? {
        while let line = try self.nextLine(&buffer) {
            if line.readableBytes > 0 {
                self.block.take(line)
            } else if let event = self.block.finish() {
                return event
            }
        }
        return nil
    }

    /// - Returns: the line without its end; `nil` when there is no whole one.
    private mutating func nextLine(_ buffer: inout ByteBuffer) throws(ServerSentEventError) -> ByteBuffer? {
        if self.skipsLineFeed, let next = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) {
            if next == UInt8(ascii: "\n") { buffer.moveReaderIndex(forwardBy: 1) }
            self.skipsLineFeed = false
        }
        let found = buffer.withUnsafeReadableBytes { Self.lineEnd(in: $0, from: self.scanned) }
        let length = found ?? buffer.readableBytes
        guard length <= self.maximumEvent - self.block.length else {
            throw ServerSentEventError.tooLarge(limit: self.maximumEvent)
        }
        guard found != nil, let line = buffer.readSlice(length: length) else {
            self.scanned = length
            return nil
        }
        self.scanned = 0
        self.skipsLineFeed = buffer.readInteger(as: UInt8.self) == UInt8(ascii: "\r")
        return line
    }

    /// - Returns: whether it is known how the stream begins.
    private mutating func skipMark(_ buffer: inout ByteBuffer, isLast: Bool) -> Bool {
        guard self.isAtStart else { return true }
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let start = buffer.readableBytesView.prefix(mark.count)
        guard start.elementsEqual(mark.prefix(start.count)) else {
            self.isAtStart = false
            return true
        }
        if start.count == mark.count {
            buffer.moveReaderIndex(forwardBy: mark.count)
        } else if !isLast {
            return false
        }
        self.isAtStart = false
        return true
    }

    /// The offset of the first CR or LF at or behind `offset`.
    private static func lineEnd(in input: UnsafeRawBufferPointer, from offset: Int) -> Int? {
        guard let bytes = JSONBytes(input) else { return nil }
        var index = offset
        while index + 8 <= bytes.count {
            let word = bytes.word(at: index)
            let hits = JSONWord.matches(word, UInt8(ascii: "\n")) | JSONWord.matches(word, UInt8(ascii: "\r"))
            if hits != 0 { return index + JSONWord.first(hits) }
            index += 8
        }
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\n") || bytes[index] == UInt8(ascii: "\r") { return index }
            index += 1
        }
        return nil
    }
}
