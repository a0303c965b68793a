import BridgeCore
import BridgeMCP
import NIOCore

/// Gathers the pages of one list of an upstream: its entries' own bytes, in their order.
///
/// Bounded: an upstream that never comes to an end, or that goes round in circles, does not.
struct Listing {
    enum Step: Equatable {
        /// Ask for the page behind this cursor, a JSON string.
        case next(cursor: JSONText)
        case complete
        case failed(String)
    }

    static let maximumPages = 1_000
    /// With its brackets it fits in a frame.
    static let maximumOctets = Frame.maximumPayload - (2 << 20)

    let offering: Offering
    /// The elements of a JSON array, behind its opening bracket.
    private var elements = ByteBuffer(string: "[")
    private(set) var count = 0
    /// What is wrong with a list that is used all the same.
    private(set) var flaw: String?
    private var pages = 0
    private var cursors: Set<ByteBuffer> = []

    init(of offering: Offering) {
        self.offering = offering
    }

    /// The entries so far, as a JSON array.
    var entries: ByteBuffer {
        var entries = self.elements
        entries.writeInteger(UInt8(ascii: "]"))
        return entries
    }

    /// - Parameter result: of a response to the offering's list request.
    mutating func page(_ result: JSONText) -> Step {
        let method = self.offering.listMethod
        guard let list = result.member(named: self.offering.name), list.kind == .array else {
            return .failed("the result of \(method) has no list of \(self.offering)")
        }
        self.pages += 1
        let cursor = result.value("nextCursor").flatMap { $0.kind == .string ? $0 : nil }
        if let cursor, self.cursors.contains(cursor.bytes) {
            // What such a page holds has most likely been there before.
            self.flaw = "\(method) repeats a cursor; the list ends there"
            return .complete
        }
        guard self.elements.readableBytes + list.count <= Self.maximumOctets else {
            return .failed("the list of \(self.offering) is larger than \(Self.maximumOctets) bytes")
        }
        result.elements(in: list) { entry in
            guard entry.kind == .object else { return }
            if self.count > 0 { self.elements.writeInteger(UInt8(ascii: ",")) }
            result[entry].write(to: &self.elements)
            self.count += 1
        }
        guard let cursor else { return .complete }
        guard self.pages < Self.maximumPages else {
            return .failed("\(method) has more than \(Self.maximumPages) pages")
        }
        self.cursors.insert(cursor.ownBytes)
        return .next(cursor: cursor)
    }
}

extension Offering {
    /// What is listed of an upstream.
    static let served: [Offering] = [.tools]

    /// Those of them whose lists a notification says have changed. One without a notification of its own changes with the
    /// others of its capability.
    static func changed(by method: String, among offerings: [Offering]) -> [Offering] {
        guard let told = offerings.first(where: { $0.changed == method }) else { return [] }
        return offerings.filter { $0.changed == method || ($0.changed == nil && $0.capability == told.capability) }
    }
}
