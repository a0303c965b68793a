package import NIOCore

extension Catalogue {
    /// All upstreams' entries of one offering, under their public names.
    package struct Section: Sendable {
        package let offering: Offering
        /// Sorted by their dotted names.
        package let entries: [Entry]
        package let collisions: [Collision]
        /// The JSON arrays that a list answers, in both spellings, each sorted by what it shows.
        package let dotList: ByteBuffer
        package let safeList: ByteBuffer
        private let bySafeName: [Entry]
        private let byName: [String: Entry]

        /// Merges what the upstreams list. An entry without a name of its own, or with one that is taken, is left out.
        ///
        /// - Parameter isSeen: whether an entry is there for those whose list this is. What is not takes nobody's name.
        package init(
            of offering: Offering, sources: [Source] = [], separator: String = ".",
            isSeen: (Entry) -> Bool = { _ in true }
        ) {
            var entries: [Entry] = []
            var byName: [String: Entry] = [:]
            var collisions: [Collision] = []
            for (index, source) in sources.enumerated() {
                for text in source.entries ?? [] {
                    guard
                        let entry = Entry(text, of: offering, upstream: index, source: source, separator: separator)
                    else { continue }
                    guard isSeen(entry) else { continue }
                    if let owner = byName[entry.name.dot] ?? byName[entry.name.safe] {
                        let kept = sources[owner.upstream].name
                        collisions.append(
                            Collision(name: entry.name.dot, offering: offering, kept: kept, refused: source.name))
                        continue
                    }
                    byName[entry.name.dot] = entry
                    byName[entry.name.safe] = entry
                    entries.append(entry)
                }
            }
            entries.sort { $0.name.dot < $1.name.dot }
            self.offering = offering
            self.entries = entries
            self.collisions = collisions
            self.byName = byName
            self.dotList = Self.render(entries, offering.isRenamed ? \.dot : nil)
            self.bySafeName = offering.isRenamed ? entries.sorted { $0.name.safe < $1.name.safe } : entries
            self.safeList = offering.isRenamed ? Self.render(self.bySafeName, \.safe) : self.dotList
        }

        /// The entries that are new, gone or others than in an older list.
        package func differences(from old: Section) -> [Entry] {
            let changed = self.entries.filter { old[$0.name.dot]?.isSame(as: $0) != true }
            return changed + old.entries.filter { self[$0.name.dot] == nil }
        }

        /// The entry of a public name, in either spelling.
        package subscript(name: String) -> Entry? { self.byName[name] }

        /// What the list shows at a place, by which it is sorted.
        func shownName(at index: Int, safe: Bool) -> String {
            safe ? self.bySafeName[index].name.safe : self.entries[index].name.dot
        }

        /// The JSON array of a part of the list.
        func part(_ range: Range<Int>, safe: Bool) -> ByteBuffer {
            let sorted = safe ? self.bySafeName : self.entries
            let spelling: KeyPath<PublicName, String>? = self.offering.isRenamed ? (safe ? \.safe : \.dot) : nil
            return Self.render(sorted[range.clamped(to: 0..<sorted.count)], spelling)
        }

        /// - Parameter spelling: what is shown in the place of each entry's own name; nil leaves the entries as they are.
        private static func render(
            _ entries: some Sequence<Entry>, _ spelling: KeyPath<PublicName, String>?
        ) -> ByteBuffer {
            var list = ByteBuffer()
            var separator: StaticString = "["
            for entry in entries {
                list.writeStaticString(separator)
                if let spelling {
                    entry.write(to: &list, named: entry.name[keyPath: spelling])
                } else {
                    entry.write(to: &list)
                }
                separator = ","
            }
            list.writeStaticString(list.readableBytes == 0 ? "[]" : "]")
            return list
        }
    }
}
