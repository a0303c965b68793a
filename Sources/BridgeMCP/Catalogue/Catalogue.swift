package import BridgeCore

/// What all upstreams offer, one ``Section`` for each offering that is served: made anew when a list changes, read for
/// every call.
package struct Catalogue: Sendable {
    /// In the order in which offerings are served. There are few: looking through them costs less than a dictionary.
    package private(set) var sections: [Section]

    /// A catalogue without entries.
    package init(of offerings: [Offering]) { self.sections = offerings.map { Section(of: $0) } }

    /// The section of an offering; an empty one where it is not served.
    package subscript(offering: Offering) -> Section {
        self.sections.first { $0.offering == offering } ?? Section(of: offering)
    }

    /// The entry that a client names.
    package func entry(_ name: String, of offering: Offering) -> Entry? {
        guard let index = self.sections.firstIndex(where: { $0.offering == offering }) else { return nil }
        return self.sections[index][name]
    }

    /// Puts a section in the place of the one that the same offering had.
    package mutating func replace(with section: Section) {
        guard let index = self.sections.firstIndex(where: { $0.offering == section.offering }) else { return }
        self.sections[index] = section
    }

    package var collisions: [Collision] { self.sections.flatMap(\.collisions) }
}

extension Catalogue {
    /// What one upstream contributes to a section.
    package struct Source: Sendable {
        package var name: String
        package var prefix: String
        package var filter: NameFilter
        /// The upstream's entries in its own order, as it wrote them; nil when they have never been listed.
        package var entries: [JSONText]?

        package init(name: String, prefix: String, filter: NameFilter, entries: [JSONText]?) {
            self.name = name
            self.prefix = prefix
            self.filter = filter
            self.entries = entries
        }
    }

    /// A name that two entries wanted. The first in the configuration has it.
    package struct Collision: Sendable, Hashable {
        package let name: String
        /// Of which kind the entries are.
        package let offering: Offering
        package let kept: String
        package let refused: String
    }
}
