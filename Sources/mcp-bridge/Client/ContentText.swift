import ArgumentParser
import BridgeCore
import BridgeMCP
import NIOCore

/// Content as it is shown at a terminal.
enum ContentText {
    static func showAsJSON(_ result: JSONText) {
        var pretty = ByteBuffer()
        result.writeIndented(to: &pretty)
        StandardStreams.output(String(buffer: pretty) + "\n")
    }

    /// One content block: its text, or what it is.
    static func words(for block: JSONText) -> String {
        if let text = block.string("text") { return text }
        if let resource = block.value("resource") { return Self.words(forResource: resource) }
        return "\(block)"
    }

    static func words(forResource resource: JSONText) -> String {
        if let text = resource.string("text") { return text }
        let type = resource.string("mimeType") ?? "unknown type"
        let octets = (resource.string("blob")?.utf8.count ?? 0) / 4 * 3
        return "[\(resource.string("uri") ?? ""), \(type), about \(octets) bytes]"
    }
}

extension ServiceOptions {
    /// One request's result. What goes wrong is said, and ends the command.
    func result(of method: String, _ parameters: JSONText) throws -> JSONText {
        let client = try self.client()
        defer { client.close() }
        do {
            return try client.request(method, parameters)
        } catch let error as MCPClient.RemoteError {
            StandardStreams.error("mcp-bridge: \(error)\n")
            throw ExitCode.failure
        }
    }
}
