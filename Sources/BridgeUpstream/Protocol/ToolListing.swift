import BridgeCore
import NIOCore

/// Gathers the pages of one `tools/list`: the tools' own bytes, in their order.
///
/// Bounded: an upstream that never comes to an end, or that goes round in circles, does not.
struct ToolListing {
    enum Step: Equatable {
        /// Ask for the page behind this cursor, a JSON string.
        case next(cursor: JSONText)
        case complete
        case failed(String)
    }

    static let maximumPages = 1_000
    /// Room is left in a frame for what travels with the tools.
    static let maximumOctets = Frame.maximumPayload - (2 << 20)

    /// The elements of a JSON array, with their commas and without the brackets.
    private(set) var tools = ByteBuffer()
    private(set) var count = 0
    /// What is wrong with a list that is used all the same.
    private(set) var flaw: String?
    private var pages = 0
    private var cursors: Set<ByteBuffer> = []

    init() {}

    /// - Parameter result: of a `tools/list` response.
    mutating func page(_ result: JSONText) -> Step {
        guard let list = result.member("tools"), list.kind == .array else {
            return .failed("the result of tools/list has no list of tools")
        }
        self.pages += 1
        let cursor = result.value("nextCursor").flatMap { $0.kind == .string ? $0 : nil }
        if let cursor, self.cursors.contains(cursor.bytes) {
            // What such a page holds has most likely been there before.
            self.flaw = "tools/list repeats a cursor; the list ends there"
            return .complete
        }
        guard self.tools.readableBytes + list.count <= Self.maximumOctets else {
            return .failed("the list of tools is larger than \(Self.maximumOctets) bytes")
        }
        result.elements(in: list) { tool in
            guard tool.kind == .object else { return }
            if self.count > 0 { self.tools.writeInteger(UInt8(ascii: ",")) }
            result[tool].write(to: &self.tools)
            self.count += 1
        }
        guard let cursor else { return .complete }
        guard self.pages < Self.maximumPages else {
            return .failed("tools/list has more than \(Self.maximumPages) pages")
        }
        self.cursors.insert(ByteBuffer(bytes: cursor.bytes.readableBytesView))
        return .next(cursor: cursor)
    }
}
