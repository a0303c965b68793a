package import BridgeCore

/// The bodies that answer the management routes `GET|POST /servers` and `DELETE /servers/{name}`.
package enum ServersReply {
    /// 200.
    package static func list(_ names: [String]) -> JSONText { self.names("servers", names) }
    /// 200.
    package static func added(_ names: [String]) -> JSONText { self.names("added", names) }
    /// 200.
    package static func removed(_ name: String) -> JSONText { JSONWriter.object { $0.member("removed", name) } }

    package static func error(_ message: String) -> JSONText { JSONWriter.object { $0.member("error", message) } }
    /// 404.
    package static func unknown(_ name: String) -> JSONText { self.error("Unknown server '\(name)'.") }
    /// 500.
    package static let cannotBeSaved = error("The change cannot be saved.")
    /// 502.
    package static let failedToAdd = error("Failed to add backend servers.")
    /// 503.
    package static let busy = error("Another change is in progress.")
    /// 503.
    package static let draining = error("draining: the service is stopping; nothing was changed.")

    private static func names(_ key: String, _ names: [String]) -> JSONText {
        JSONWriter.object { $0.member(key, names.sorted()) }
    }
}
