package import BridgeCore
package import NIOCore

/// The file that keeps lists warm across restarts: `{"updatedAt": …, "toolsByUpstream": {"<upstream>": [tool, …]},
/// "promptsByUpstream": {…}, …, "programsByUpstream": {…}, "asking": ["<upstream>"],
/// "revisionsByUpstream": {…}, "transportsByUpstream": {"<upstream>": "sse"}, "shown": {…}}`, indented by two spaces.
///
/// Pure: reading and writing the file is the caller's.
package struct CatalogueCache: Sendable {
    /// In the order in which they stand in the file.
    let offerings: [Offering]
    /// How the lists are shown. Files of older versions do not say.
    package var display: CatalogueDisplay?
    /// The entries of each upstream, as the upstream wrote them.
    private var lists: [Offering: [String: [JSONText]]] = [:]
    /// Which program listed them, as a fingerprint. Files of older versions have none.
    private var programs: [String: String] = [:]
    private var proposals: [String: RevisionProposal] = [:]
    /// Upstreams that ask in the middle of calls.
    private var asking: Set<String> = []
    /// How servers are spoken to whose addresses say nothing of it.
    private var transports: [String: String] = [:]

    package init(of offerings: [Offering]) { self.offerings = offerings }

    /// What an upstream listed in an earlier life, unless another program did: as clients may be shown it. An older version
    /// may have kept what they cannot read.
    package func checkedEntries(of offering: Offering, by upstream: String, program: String) -> [JSONText]? {
        self.entries(of: offering, by: upstream, program: program)?.compactMap { Definition($0, of: offering).text }
    }

    /// The same, as it stands in the file.
    package func entries(of offering: Offering, by upstream: String, program: String) -> [JSONText]? {
        guard self.programs[upstream].map({ $0 == program }) ?? true else { return nil }
        return self.lists[offering]?[upstream]
    }

    /// Those that list something, by name.
    var upstreams: [String] { Set(self.lists.values.flatMap(\.keys)).sorted() }

    /// What an upstream listed in an earlier life, whichever program did, as clients may be shown it.
    func lastEntries(of offering: Offering, by upstream: String) -> [JSONText]? {
        self.lists[offering]?[upstream]?.compactMap { Definition($0, of: offering).text }
    }

    /// What an upstream wants to be spoken to with, unless another program did.
    package func proposal(to upstream: String, program: String) -> RevisionProposal? {
        self.programs[upstream] == program ? self.proposals[upstream] : nil
    }

    package mutating func keep(_ proposal: RevisionProposal?, to upstream: String, program: String) {
        self.proposals[upstream] = proposal
        self.programs[upstream] = program
    }

    /// Whether an upstream asked in the middle of calls in an earlier life, unless another program did.
    package func asks(_ upstream: String, program: String) -> Bool {
        self.programs[upstream] == program && self.asking.contains(upstream)
    }

    package mutating func keepThatAsks(_ upstream: String, program: String) {
        self.asking.insert(upstream)
        self.programs[upstream] = program
    }

    /// By which transport an upstream was found to speak, unless that was another server.
    package func transport(of upstream: String, program: String) -> String? {
        self.programs[upstream] == program ? self.transports[upstream] : nil
    }

    package mutating func keep(transport: String?, of upstream: String, program: String) {
        self.transports[upstream] = transport
        self.programs[upstream] = program
    }

    /// Takes in what an upstream lists.
    package mutating func keep(_ entries: [JSONText]?, of offering: Offering, by upstream: String, program: String) {
        self.lists[offering, default: [:]][upstream] = entries
        self.programs[upstream] = program
    }

    private static func key(_ offering: Offering) -> String { offering.name + "ByUpstream" }

    /// Reads the file's bytes. What is not such a file is an empty cache.
    package init(parsing bytes: ByteBuffer, of offerings: [Offering]) {
        self.offerings = offerings
        guard let text = try? JSONText(validating: bytes) else { return }
        for offering in offerings {
            guard let lists = text.member(named: Self.key(offering)).map({ text[$0] }) else { continue }
            lists.members { upstream, list in
                var entries: [JSONText] = []
                lists[list].elements { entries.append(lists[list][$0]) }
                self.lists[offering, default: [:]][upstream.string] = entries
            }
        }
        self.display = text.value("shown").flatMap { CatalogueDisplay($0) }
        if let programs = text.value("programsByUpstream") {
            programs.members { upstream, program in self.programs[upstream.string] = programs[program].string }
        }
        if let asking = text.value("asking") { asking.elements { self.asking.insert(asking[$0].string ?? "") } }
        if let transports = text.value("transportsByUpstream") {
            transports.members { upstream, transport in
                self.transports[upstream.string] = transports[transport].string
            }
        }
        if let proposals = text.value("revisionsByUpstream") {
            proposals.members { upstream, proposal in
                self.proposals[upstream.string] = RevisionProposal(proposals[proposal])
            }
        }
    }

    /// The file's bytes. Upstreams without entries are left out, and so are offerings that nobody has; but for tools, so
    /// that the file has the shape that older versions know.
    ///
    /// - Parameter updatedAt: an ISO 8601 time.
    package func serialized(updatedAt: String) -> ByteBuffer {
        var listed: Set<String> = []
        let text = JSONWriter.object { file in
            file.member("updatedAt", updatedAt)
            for offering in self.offerings {
                let lists = (self.lists[offering] ?? [:]).filter { !$0.value.isEmpty }
                guard offering == .tools || !lists.isEmpty else { continue }
                listed.formUnion(lists.keys)
                file.memberObject(Self.key(offering)) { object in
                    for (name, entries) in lists.sorted(by: { $0.key < $1.key }) {
                        object.memberArray(name) { list in for entry in entries { list.element(entry) } }
                    }
                }
            }
            if let display = self.display { file.member("shown", display.text) }
            let isKnown = { (name: String) in
                listed.contains(name) || self.proposals[name] != nil || self.asking.contains(name)
                    || self.transports[name] != nil
            }
            let programs = self.programs.filter { name, program in !program.isEmpty && isKnown(name) }
            guard !programs.isEmpty else { return }
            file.memberObject("programsByUpstream") { object in
                for (name, program) in programs.sorted(by: { $0.key < $1.key }) { object.member(name, program) }
            }
            let asking = self.asking.filter { programs[$0] != nil }.sorted()
            if !asking.isEmpty { file.memberArray("asking") { list in for name in asking { list.element(name) } } }
            let proposals = self.proposals.filter { programs[$0.key] != nil }
            if !proposals.isEmpty {
                file.memberObject("revisionsByUpstream") { object in
                    for (name, proposal) in proposals.sorted(by: { $0.key < $1.key }) {
                        object.member(name, proposal.text)
                    }
                }
            }
            let transports = self.transports.filter { programs[$0.key] != nil }
            guard !transports.isEmpty else { return }
            file.memberObject("transportsByUpstream") { object in
                for (name, transport) in transports.sorted(by: { $0.key < $1.key }) { object.member(name, transport) }
            }
        }
        var buffer = ByteBuffer()
        text.writeIndented(to: &buffer)
        buffer.writeStaticString("\n")
        return buffer
    }
}

extension JSONText {
    /// Appends the value laid out for people: members and elements on lines of their own, two spaces a level. Scalars and
    /// keys keep their spelling.
    package func writeIndented(to buffer: inout ByteBuffer, level: Int = 0) {
        switch self.kind {
        case .object:
            var first = true
            self.members { key, value in
                Self.newLine(&buffer, first ? "{" : ",", level + 1)
                first = false
                key.text.write(to: &buffer)
                buffer.writeStaticString(": ")
                self[value].writeIndented(to: &buffer, level: level + 1)
            }
            if first { buffer.writeStaticString("{}") } else { Self.newLine(&buffer, "", level, "}") }
        case .array:
            var first = true
            self.elements { value in
                Self.newLine(&buffer, first ? "[" : ",", level + 1)
                first = false
                self[value].writeIndented(to: &buffer, level: level + 1)
            }
            if first { buffer.writeStaticString("[]") } else { Self.newLine(&buffer, "", level, "]") }
        case .string, .number, .true, .false, .null:
            self.write(to: &buffer)
        }
    }

    private static func newLine(
        _ buffer: inout ByteBuffer, _ before: StaticString, _ level: Int, _ after: StaticString = ""
    ) {
        buffer.writeStaticString(before)
        buffer.writeStaticString("\n")
        buffer.writeRepeatingByte(UInt8(ascii: " "), count: level * 2)
        buffer.writeStaticString(after)
    }
}
