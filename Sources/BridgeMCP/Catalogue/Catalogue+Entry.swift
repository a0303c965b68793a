package import BridgeCore
import NIOCore

extension Catalogue {
    /// Where a public name leads.
    package final class Entry: Sendable {
        /// Place of the upstream in the configuration.
        package let upstream: Int
        /// Its name there.
        package let server: String
        package let name: PublicName
        /// The upstream's own name, decoded, and as the JSON string that goes into a request.
        package let ownName: String
        package let ownNameJSON: JSONText
        /// Whether its annotations say that calling it twice does no harm. A hint: acted on only where the operator asked.
        package let hintsRepeatable: Bool
        package let taskSupport: TaskSupport
        private let text: JSONText
        private let identity: JSONSpan

        /// `nil` for what is not shown: an entry that the filter keeps back, or one without a name of its own.
        init?(_ text: JSONText, of offering: Offering, upstream: Int, source: Source, separator: String) {
            guard let identity = Self.identity(offering.identity.text, in: text), let own = text[identity].string,
                !own.isEmpty, let shown = source.filter.shown(own, of: offering)
            else { return nil }
            let annotations = text.value("annotations")
            self.upstream = upstream
            self.server = source.name
            self.name =
                offering.isRenamed
                ? PublicName(prefix: source.prefix, separator: separator, name: shown) : PublicName(verbatim: own)
            self.ownName = own
            self.ownNameJSON = text[identity]
            self.hintsRepeatable =
                annotations?.bool("readOnlyHint") == true || annotations?.bool("idempotentHint") == true
            self.taskSupport = TaskSupport(of: text)
            self.text = text
            self.identity = identity
        }

        /// The one member that tells entries apart. An entry with two of them could show a name that is another upstream's.
        private static func identity(_ member: StaticString, in text: JSONText) -> JSONSpan? {
            var found: [JSONSpan] = []
            text.members { key, value in if key == member { found.append(value) } }
            return found.count == 1 ? found[0] : nil
        }

        /// Whether its upstream wrote the same.
        func isSame(as other: Entry) -> Bool {
            self.name == other.name && self.server == other.server && self.text == other.text
        }

        /// Appends the entry as its upstream wrote it.
        func write(to list: inout ByteBuffer) { self.text.write(to: &list) }

        /// Appends the entry as its upstream wrote it, but for its name.
        func write(to list: inout ByteBuffer, named name: String) {
            var shown = ByteBuffer()
            shown.writeJSONString(name)
            self.text.write(to: &list, replacing: self.identity, with: shown)
        }
    }
}
