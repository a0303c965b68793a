/// A text after expansion, that remembers which parts of it must not be shown.
package struct ConfiguredText: Sendable, Hashable {
    /// Everything in place. Read it only where it is used.
    package let value: String
    /// The same with `***` for every part that came from the environment or a credential.
    package let masked: String

    package init(_ value: String, masked: String? = nil) {
        self.value = value
        self.masked = masked ?? value
    }

    /// Whether a part of it must not be shown.
    package var isMasked: Bool { self.value != self.masked }

    /// The same text, of which nothing may be shown.
    package var hidden: ConfiguredText { ConfiguredText(self.value, masked: Secret.mask) }

    package var secret: Secret { Secret(self.value) }
}

extension ConfiguredText: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { self.masked }
    package var debugDescription: String { self.masked }
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
