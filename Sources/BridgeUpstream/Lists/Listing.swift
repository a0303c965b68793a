import BridgeCore
import BridgeMCP
import NIOCore

/// Gathers the pages of one list of an upstream: its entries' own bytes, in their order, as far as clients can read them.
///
/// Bounded: an upstream that never comes to an end, or that goes round in circles, does not. What had been gathered when a
/// list ends badly is the list, and its flaw says so.
struct Listing {
    enum Step: Equatable {
        /// Ask for the page behind this cursor: a JSON string, or a number where the server made it one.
        case next(cursor: JSONText)
        case complete
        case failed(String)
    }

    static let maximumPages = 1_000
    /// With its brackets it fits in a frame.
    static let maximumOctets = Frame.maximumPayload - (2 << 20)

    let offering: Offering
    /// What the entries may have together.
    var maximumOctets = Self.maximumOctets
    /// Whether the server's tools can be called as tasks; what they say of that means nothing otherwise.
    var hasTasks = true
    /// The elements of a JSON array, behind its opening bracket.
    private var elements = ByteBuffer(string: "[")
    private(set) var count = 0
    /// Why a list ends that should go on. It is used all the same, and worth another try.
    private(set) var flaw: String?
    private var flaws = EntryFlaws()
    /// Whether a page is lost. What was listed before and is not in the others may be in that.
    private var isTorn = false
    private var pages = 0
    private var cursors: Set<ByteBuffer> = []
    private var lastCursor: JSONText?
    /// By their bytes: names that only look the same are two.
    private var names: Set<ByteBuffer> = []
    private let remark: String?
    private var isClosed = false

    /// - Parameter remark: what there is to be said of it, for people.
    init(of offering: Offering, remark: String? = nil) {
        self.offering = offering
        self.remark = remark
    }

    /// The entries so far, as a JSON array.
    var entries: ByteBuffer {
        if self.isClosed { return self.elements }
        var entries = self.elements
        entries.writeInteger(UInt8(ascii: "]"))
        return entries
    }

    /// What is wrong with a list that is used all the same, for people.
    var notes: [String] { [self.flaw, self.remark].compactMap { $0 } + self.flaws.notes(of: self.offering) }

    /// - Parameter result: of a response to the offering's list request.
    mutating func page(_ result: JSONText) -> Step {
        let method = self.offering.listMethod
        guard let list = result.member(named: self.offering.name), list.kind == .array || list.kind == .null else {
            return self.cut("the result of \(method) has no list of \(self.offering)")
        }
        self.pages += 1
        let cursor = result.value("nextCursor").flatMap { $0.isNull ? nil : $0 }
        let isRepeated = cursor.map { self.cursors.contains($0.bytes) } ?? false
        var isFull = false
        result.elements(in: list) { entry in
            if !isFull { isFull = !self.take(result[entry], mayBeKnown: isRepeated) }
        }
        if isFull {
            return self.end("the list of \(self.offering) is larger than \(self.maximumOctets) bytes, a fixed limit")
        }
        guard let cursor else { return .complete }
        guard cursor.kind == .string || cursor.kind == .number else {
            return self.end("\(method) gives a cursor that is no text")
        }
        guard !isRepeated else { return self.end("\(method) repeats a cursor") }
        guard self.pages < Self.maximumPages else {
            return self.end("\(method) has more than \(Self.maximumPages) pages, a fixed limit")
        }
        self.cursors.insert(cursor.ownBytes)
        self.lastCursor = cursor.compacted
        return .next(cursor: cursor)
    }

    /// There will be no next page.
    mutating func cut(_ reason: String) -> Step {
        guard self.pages > 0 else { return .failed(reason) }
        if self.lastCursor?.string == "" {
            return self.end("\(self.offering.listMethod) gives an empty cursor, and does not take it (\(reason))")
        }
        self.isTorn = true
        return self.end("page \(self.pages + 1) is missing (\(reason)); what was listed before is kept")
    }

    private mutating func end(_ flaw: String) -> Step {
        self.flaw = "\(flaw); the list of \(self.offering) ends there"
        return .complete
    }

    /// - Parameter mayBeKnown: whether it is no wonder that the entry has been there before.
    /// - Returns: false where there is no room for more.
    private mutating func take(_ entry: JSONText, mayBeKnown: Bool) -> Bool {
        let definition = Definition(entry, of: self.offering)
        let name = entry.member(named: self.offering.identity.string).flatMap { entry[$0].string }
        guard var text = definition.text, let name else {
            self.flaws.add(.leftOut, name ?? "", definition.flaws)
            return true
        }
        if self.offering == .tools, !self.hasTasks { text = TaskSupport.taken(from: text) ?? text }
        guard self.elements.readableBytes + text.count < self.maximumOctets else { return false }
        guard self.names.insert(ByteBuffer(string: name)).inserted else {
            if !mayBeKnown { self.flaws.add(.repeated, name) }
            return true
        }
        self.append(text)
        if !definition.flaws.isEmpty { self.flaws.add(.mended, name, definition.flaws) }
        if self.offering.isRenamed, !EntryFlaws.isTakenByAll(name) { self.flaws.add(.named, name) }
        return true
    }

    private mutating func append(_ entry: JSONText) {
        if self.count > 0 { self.elements.writeInteger(UInt8(ascii: ",")) }
        entry.write(to: &self.elements)
        self.count += 1
    }

    /// It has ended, and is told: where a page is lost, what was listed before stays. To be called once.
    mutating func close(after previous: Listing?) {
        if self.isTorn, let previous {
            let old = JSONText(trusting: previous.entries)
            old.elements { span in
                let entry = old[span]
                guard let name = entry.member(named: self.offering.identity.string).flatMap({ entry[$0].string }),
                    self.elements.readableBytes + entry.count < self.maximumOctets,
                    self.names.insert(ByteBuffer(string: name)).inserted
                else { return }
                self.append(entry)
            }
        }
        self.elements.writeInteger(UInt8(ascii: "]"))
        self.isClosed = true
        self.names = []
        self.cursors = []
    }
}

extension Offering {
    /// What is listed of an upstream.
    static let served: [Offering] = Offering.all

    /// Those of them whose lists a notification says have changed. One without a notification of its own changes with the
    /// others of its capability.
    static func changed(by method: String, among offerings: [Offering]) -> [Offering] {
        guard let told = offerings.first(where: { $0.changed == method }) else { return [] }
        return offerings.filter { $0.changed == method || ($0.changed == nil && $0.capability == told.capability) }
    }
}
