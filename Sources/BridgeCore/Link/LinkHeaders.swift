/// A header of the link: a small JSON object whose members have a fixed order, so that it is written and read in one pass.
///
/// Both ends are the same executable. A reader therefore expects each member in its place, and may find it absent; what it
/// does not expect ends the reading, and whatever stands behind it counts as absent.
package protocol LinkHeader: Sendable {
    func write(to header: inout HeaderWriter)
    /// - Returns: nil where the operation, or what it cannot do without, is not there.
    init?(reading header: inout HeaderReader)
}

extension LinkHeader {
    package var text: JSONText { self.text(capacity: 256) }

    /// The header, written into room for so many bytes; it grows where they do not do.
    package func text(capacity: Int) -> JSONText {
        var writer = HeaderWriter(capacity: capacity)
        self.write(to: &writer)
        return writer.finish()
    }

    package init?(_ text: JSONText) {
        var reader = HeaderReader(text)
        self.init(reading: &reader)
    }
}
