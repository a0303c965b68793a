import NIOCore

@testable import BridgeCore

/// The standard's algorithm, word by word and without any care for speed: what the decoder is compared with.
enum ReferenceEventStream {
    static func events(of bytes: [UInt8]) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        var block = Block()
        let (lines, rest) = Self.lines(of: bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes)
        for line in lines {
            guard line.isEmpty else {
                block.take(line)
                continue
            }
            if let event = block.event(isUnfinished: false) { events.append(event) }
            block = Block()
        }
        if !rest.isEmpty { block.take(rest) }
        if let event = block.event(isUnfinished: true) { events.append(event) }
        return events
    }

    /// What has a line end, and what stands behind the last one.
    private static func lines(of bytes: [UInt8]) -> ([[UInt8]], [UInt8]) {
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            guard byte == 13 || byte == 10 else {
                line.append(byte)
                continue
            }
            if byte == 13, index < bytes.count, bytes[index] == 10 { index += 1 }
            lines.append(line)
            line = []
        }
        return (lines, line)
    }

    private struct Block {
        var name: [UInt8] = []
        var data: [[UInt8]] = []
        var id: [UInt8]?
        var retry: Int?

        mutating func take(_ line: [UInt8]) {
            let colon = line.firstIndex(of: 58)
            if colon == 0 { return }
            var value = colon.map { Array(line[($0 + 1)...]) } ?? []
            if value.first == 32 { value.removeFirst() }
            switch String(decoding: line[..<(colon ?? line.count)], as: UTF8.self) {
            case "data": self.data.append(value)
            case "event": self.name = value
            case "id": if !value.contains(0) { self.id = value }
            case "retry":
                guard !value.isEmpty, value.allSatisfy({ (48...57).contains($0) }) else { return }
                self.retry = min(Int(String(decoding: value, as: UTF8.self)) ?? .max, ServerSentEvent.maximumRetry)
            default: return
            }
        }

        func event(isUnfinished: Bool) -> ServerSentEvent? {
            guard !self.data.isEmpty || self.id != nil || self.retry != nil else { return nil }
            let data = self.data.isEmpty ? nil : ByteBuffer(bytes: self.data.joined(separator: [10]))
            return ServerSentEvent(
                name: self.name.isEmpty ? "message" : String(decoding: self.name, as: UTF8.self), data: data,
                id: self.id.map { String(decoding: $0, as: UTF8.self) }, retry: self.retry, isUnfinished: isUnfinished)
        }
    }
}
