import ArgumentParser
import BridgeCore

struct Read: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Read a resource and print what it holds.",
        discussion: """
            For example: mcp-bridge read file:///srv/notes/today.md
            Text is printed as it is; of anything else it is said what it is, unless --json is given.
            Exit status: 0 the resource, 1 an error (its text goes to standard error).
            """
    )

    @OptionGroup var service: ServiceOptions

    @Argument(help: "Its URI, as 'mcp-bridge resources' lists it.")
    var uri: String

    @Flag(help: "The whole result as JSON.")
    var json = false

    func run() throws {
        let result = try self.service.result(
            of: "resources/read", JSONWriter.object { $0.member("uri", self.uri) })
        if self.json { return ContentText.showAsJSON(result) }
        guard let contents = result.value("contents") else { return }
        contents.elements { span in StandardStreams.output(ContentText.words(forResource: contents[span]) + "\n") }
    }
}
