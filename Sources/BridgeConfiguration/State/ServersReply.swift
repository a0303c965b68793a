import BridgeCore
package import NIOCore

/// The bodies that answer the management routes `GET|POST /servers` and `DELETE /servers/{name}`.
package enum ServersReply {
    /// 200.
    package static func list(_ names: [String]) -> ByteBuffer { self.names("servers", names) }
    /// 200.
    package static func added(_ names: [String]) -> ByteBuffer { self.names("added", names) }
    /// 200.
    package static func removed(_ name: String) -> ByteBuffer {
        JSONWriter.object { $0.member("removed", name) }.bytes
    }
    /// 404.
    package static func unknown(_ name: String) -> ByteBuffer { self.error("Unknown server '\(name)'.") }
    /// 502.
    package static var failedToAdd: ByteBuffer { self.error("Failed to add backend servers.") }

    package static func error(_ message: String) -> ByteBuffer {
        JSONWriter.object { $0.member("error", message) }.bytes
    }

    private static func names(_ key: String, _ names: [String]) -> ByteBuffer {
        JSONWriter.object { $0.member(key, names.sorted()) }.bytes
    }
}
