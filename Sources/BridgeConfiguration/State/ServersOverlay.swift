package import BridgeCore

/// What was changed at run time, laid over the configuration file: `servers.json` in the state directory.
///
/// Entries are kept as they were sent, unexpanded, so that a credential they name is not written down.
package struct ServersOverlay: Sendable, Hashable {
    package struct Addition: Sendable, Hashable {
        package let name: String
        /// The entry's object.
        package let entry: JSONText

        package init(name: String, entry: JSONText) {
            self.name = name
            self.entry = entry
        }
    }

    /// In the order in which they came.
    package private(set) var additions: [Addition] = []
    /// Names in the configuration file that are left out.
    package private(set) var removed: [String] = []

    package init() {}

    package var isEmpty: Bool { self.additions.isEmpty && self.removed.isEmpty }

    /// Adds an entry, or puts it in the place of an earlier one of its name.
    package mutating func add(_ addition: Addition) {
        self.removed.removeAll { $0 == addition.name }
        if let index = self.additions.firstIndex(where: { $0.name == addition.name }) {
            self.additions[index] = addition
        } else {
            self.additions.append(addition)
        }
    }

    /// Removes a server.
    ///
    /// - Parameter isInFile: whether it stands in the configuration file. Only then its absence has to be remembered: a
    ///   server that was added at run time and removed again leaves nothing behind.
    package mutating func remove(_ name: String, isInFile: Bool = true) {
        self.additions.removeAll { $0.name == name }
        if isInFile, !self.removed.contains(name) { self.removed.append(name) }
    }
}

/// Entries can hold secrets.
extension ServersOverlay: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        "ServersOverlay(added: \(self.additions.map(\.name)), removed: \(self.removed))"
    }
    package var debugDescription: String { self.description }
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

extension ServersOverlay.Addition: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "Addition(\(self.name))" }
    package var debugDescription: String { self.description }
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
