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
        switch block.string("type") {
        case "image", "audio":
            let type = block.string("mimeType") ?? "unknown type"
            return "[\(block.string("type") ?? ""), \(type), about \(Self.octets(block.string("data"))) bytes]"
        case "resource_link":
            return "[link to \(block.string("uri") ?? "")] \(block.string("title") ?? block.string("name") ?? "")"
        default: return "\(block)"
        }
    }

    static func words(forResource resource: JSONText) -> String {
        if let text = resource.string("text") { return text }
        let type = resource.string("mimeType") ?? "unknown type"
        return "[\(resource.string("uri") ?? ""), \(type), about \(Self.octets(resource.string("blob"))) bytes]"
    }

    /// What a text in base64 stands for, roughly.
    private static func octets(_ base64: String?) -> Int { (base64?.utf8.count ?? 0) / 4 * 3 }
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
