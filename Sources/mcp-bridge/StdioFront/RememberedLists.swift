import BridgeCore
import BridgeMCP
import NIOCore

/// The lists that the bridge has last given, for while it is away.
struct RememberedLists {
    /// In bytes, of one list.
    private static let limit = 4 << 20
    private static let methods = Set(Offering.all.map(\.listMethod))

    private var results: [String: JSONText] = [:]

    /// Remembers a result, if it is all of a list.
    mutating func heard(_ result: JSONText, of request: StdioMessage.Request) {
        guard Self.methods.contains(request.method), !request.hasCursor else { return }
        let isWhole = result.member("nextCursor") == nil && result.count <= Self.limit
        self.results[request.method] = isWhole ? result.detached : nil
    }

    func answer(to request: StdioMessage.Request) -> ByteBuffer? {
        guard !request.hasCursor, let result = self.results[request.method] else { return nil }
        return RPCReply.result(id: request.id.bytes, result)
    }
}
