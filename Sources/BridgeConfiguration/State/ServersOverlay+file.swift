package import BridgeCore
package import NIOCore

/// Why a `servers.json` is not used.
package enum ServersOverlayError: Error, Sendable, Hashable, CustomStringConvertible {
    case notJSON(JSONError)
    case malformed(String)
    /// Written by a later version; it must not be overwritten.
    case newerVersion(Int)

    package var description: String {
        switch self {
        case .notJSON(let error): "the state of added and removed servers is damaged: \(error)"
        case .malformed(let what): "the state of added and removed servers is damaged: \(what)"
        case .newerVersion(let version):
            "the state of added and removed servers was written by a newer mcp-bridge "
                + "(format \(version), known: \(ServersOverlay.version))"
        }
    }
}

/// `{"version": 1, "added": {name: entry}, "removed": [name]}`.
extension ServersOverlay {
    /// The format that is written.
    package static let version = 1

    /// An empty file is an empty overlay.
    package init(parsing bytes: ByteBuffer) throws(ServersOverlayError) {
        self.init()
        if bytes.readableBytesView.allSatisfy({ " \t\r\n".utf8.contains($0) }) { return }
        let text: JSONText
        do { text = try JSONText(validating: bytes) } catch { throw .notJSON(error) }
        guard text.kind == .object else { throw .malformed("it is not an object.") }
        guard let version = text.int("version"), version >= 1 else { throw .malformed("it has no 'version'.") }
        guard version <= Self.version else { throw .newerVersion(version) }
        text.value("removed")?.elements { span in
            if let name = text.value("removed")?[span].string { self.remove(name) }
        }
        guard let added = text.value("added") else { return }
        added.members { key, span in
            self.add(Addition(name: key.string, entry: added[span]))
        }
    }

    /// What to write, ended by a line break.
    package var serialized: ByteBuffer {
        let text = JSONWriter.object { writer in
            writer.member("version", Self.version)
            writer.memberObject("added") { writer in
                for addition in self.additions { writer.member(addition.name, addition.entry) }
            }
            writer.member("removed", self.removed)
        }
        var buffer = text.bytes
        buffer.writeString("\n")
        return buffer
    }
}
