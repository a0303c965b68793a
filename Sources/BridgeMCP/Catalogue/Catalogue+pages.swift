package import BridgeCore
package import NIOCore

extension Catalogue.Section {
    /// A cursor that no page was given.
    package struct UnknownCursor: Error, Equatable {}

    /// Answers a request for the list: all of it, or a page.
    ///
    /// A cursor names the last entry of its page, and not a place: whatever comes and goes between two pages, no entry that
    /// stays is left out or shown twice, and nobody has to begin anew.
    ///
    /// - Parameters:
    ///   - id: the request's, as it was written.
    ///   - cursor: what the page before gave for the next.
    ///   - size: entries in a page; nil for all in one.
    package func reply(
        to id: ByteBuffer, cursor: JSONText?, size: Int?, safe: Bool
    ) throws(UnknownCursor) -> ByteBuffer {
        let total = self.entries.count
        let start = try self.start(cursor, safe: safe)
        guard let size, total - start > size else {
            let rest = start == 0 ? (safe ? self.safeList : self.dotList) : self.part(start..<total, safe: safe)
            return self.reply(to: id, rest, next: nil)
        }
        let last = self.shownName(at: start + size - 1, safe: safe)
        return self.reply(to: id, self.part(start..<start + size, safe: safe), next: Self.mark + last)
    }

    private static var mark: String { "after:" }

    private func start(_ cursor: JSONText?, safe: Bool) throws(UnknownCursor) -> Int {
        guard let cursor, !cursor.isNull else { return 0 }
        guard let text = cursor.string, text.hasPrefix(Self.mark) else { throw UnknownCursor() }
        let last = String(text.dropFirst(Self.mark.count))
        // The first that is behind it.
        var (low, high) = (0, self.entries.count)
        while low < high {
            let middle = (low + high) / 2
            if self.shownName(at: middle, safe: safe) > last { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private func reply(to id: ByteBuffer, _ entries: ByteBuffer, next: String?) -> ByteBuffer {
        var reply = ByteBuffer()
        reply.reserveCapacity(entries.readableBytes + id.readableBytes + 96)
        reply.writeStaticString(#"{"jsonrpc":"2.0","id":"#)
        reply.writeImmutableBuffer(id)
        reply.writeStaticString(#","result":{"#)
        reply.writeJSONString(self.offering.name)
        reply.writeStaticString(":")
        reply.writeImmutableBuffer(entries)
        if let next {
            reply.writeStaticString(#","nextCursor":"#)
            reply.writeJSONString(next)
        }
        reply.writeStaticString("}}")
        return reply
    }
}
