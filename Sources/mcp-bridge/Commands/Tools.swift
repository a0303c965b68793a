import ArgumentParser
import BridgeCore
import BridgeMCP
import NIOCore

struct Tools: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the tools that the service offers.")

    @OptionGroup var service: ServiceOptions

    @Flag(help: "The list as JSON, as a client gets it.")
    var json = false

    func run() throws {
        let client = try self.service.client()
        defer { client.close() }
        let tools = try client.allTools()
        if self.json {
            let list = JSONWriter.array { list in for tool in tools { list.element(tool) } }
            var pretty = ByteBuffer()
            list.writeIndented(to: &pretty)
            return StandardStreams.output(String(buffer: pretty) + "\n")
        }
        guard !tools.isEmpty else { return StandardStreams.output("There are no tools.\n") }
        let rows = tools.map { tool in
            let text = tool.string("description") ?? tool.string("title") ?? ""
            return [tool.string("name") ?? "", String(text.split(separator: "\n").first?.prefix(100) ?? "")]
        }
        StandardStreams.output(StatusTable.table(["TOOL", "DESCRIPTION"], rows).joined(separator: "\n") + "\n")
    }
}
