/// A text that must not reach a log, an error message or a debugger's printout.
///
/// It travels in frames as the plain string, because the process at the other end needs it; every way of printing it
/// gives `***`. Read ``value`` only where the secret is used.
package struct Secret: Sendable, Hashable {
    package var value: String

    package init(_ value: String) {
        self.value = value
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What is printed in place of any secret.
    package static let mask = "***"

    package var description: String { Secret.mask }
    package var debugDescription: String { Secret.mask }
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

extension Secret: Codable {
    package init(from decoder: any Decoder) throws {
        self.value = try decoder.singleValueContainer().decode(String.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.value)
    }
}
