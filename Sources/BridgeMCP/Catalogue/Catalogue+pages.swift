package import BridgeCore
package import NIOCore

extension Catalogue.Section {
    /// A cursor that no page was given.
    package struct UnknownCursor: Error, Equatable {}

    /// Answers a request for the list: all of it, or a page.
    ///
    /// - Parameters:
    ///   - id: the request's, as it was written.
    ///   - cursor: what the page before gave for the next.
    ///   - size: entries in a page; nil for all in one.
    package func reply(
        to id: ByteBuffer, cursor: JSONText?, size: Int?, safe: Bool
    ) throws(UnknownCursor) -> ByteBuffer {
        let total = self.entries.count
        let start = try self.start(cursor, isPaged: size != nil)
        guard let size, total - start > size else {
            let rest = start == 0 ? (safe ? self.safeList : self.dotList) : self.part(start..<total, safe: safe)
            return self.reply(to: id, rest, next: nil)
        }
        return self.reply(to: id, self.part(start..<start + size, safe: safe), next: "p\(start + size)")
    }

    private func start(_ cursor: JSONText?, isPaged: Bool) throws(UnknownCursor) -> Int {
        guard let cursor, !cursor.isNull else { return 0 }
        guard isPaged, let text = cursor.string, text.hasPrefix("p"), let position = Int(text.dropFirst()),
            position > 0, position <= self.entries.count
        else { throw UnknownCursor() }
        return position
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
