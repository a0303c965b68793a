package import BridgeCore

/// Models as both dialects list them: one body has the members of both, and every SDK reads it.
package struct ModelList: Sendable, Hashable {
    package struct Entry: Sendable, Hashable {
        package let id: String
        package let displayName: String
        package let owner: String
        /// In seconds since 1970.
        package let created: Int

        package init(id: String, displayName: String? = nil, owner: String = "mcp-bridge", created: Int) {
            self.id = id
            self.displayName = displayName ?? id
            self.owner = owner
            self.created = created
        }

        /// The body for this model alone.
        package var body: JSONText { JSONWriter.object(self.write) }

        fileprivate func write(to object: inout JSONWriter) {
            object.member("id", self.id)
            object.member("object", "model")
            object.member("created", self.created)
            object.member("owned_by", self.owner)
            object.member("type", "model")
            object.member("display_name", self.displayName)
            object.member("created_at", UTCTime(seconds: self.created).text())
        }
    }

    package let entries: [Entry]

    package init(_ entries: [Entry]) { self.entries = entries }

    /// The body of the list, all of it on one page.
    package var body: JSONText {
        JSONWriter.object { body in
            body.member("object", "list")
            body.memberArray("data") { data in for entry in self.entries { data.object(entry.write) } }
            body.member("has_more", false)
            body.member("first_id", self.entries.first?.id)
            body.member("last_id", self.entries.last?.id)
        }
    }

    /// - Parameter id: as the path has it, percent-decoded.
    package func entry(_ id: String) throws(ChatFault) -> Entry {
        guard let entry = self.entries.first(where: { $0.id == id }) else {
            throw ChatFault(
                .modelNotFound, "The model \(ChatFault.quoted(id)) does not exist, or this token may not use it",
                param: "model")
        }
        return entry
    }
}
