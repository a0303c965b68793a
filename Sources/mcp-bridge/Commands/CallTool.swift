import ArgumentParser
import BridgeCore
import BridgeMCP
import NIOCore

struct CallTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        abstract: "Call a tool and print its result.",
        discussion: """
            For example: mcp-bridge call demo.add '{"a": 1, "b": 2}'
            A tool that asks something in the meantime asks at the terminal, where there is one. Ctrl-C cancels the call.
            Exit status: 0 a result, 1 an error (its text goes to standard error), 2 the arguments are not a JSON object, \
            130 cancelled.
            """
    )

    @OptionGroup var service: ServiceOptions
    @OptionGroup var questions: QuestionOptions

    @Argument(help: "The tool's name, as 'mcp-bridge tools' lists it.")
    var name: String

    @Argument(help: "The arguments, a JSON object.")
    var arguments = "{}"

    @Flag(help: "The whole result as JSON, not only its text.")
    var json = false

    func run() throws {
        guard let arguments = try? JSONText(validating: ByteBuffer(string: self.arguments)), arguments.kind == .object
        else {
            StandardStreams.error(
                "mcp-bridge: the arguments must be a JSON object, such as '{\"text\":\"hello\"}'\n")
            throw ExitCode(2)
        }
        let result = try self.service.result(
            of: "tools/call",
            JSONWriter.object {
                $0.member("name", self.name)
                $0.member("arguments", arguments)
            }, asking: self.questions, for: "'\(self.name)'")
        if self.json { ContentText.showAsJSON(result) } else { Self.show(result) }
        if result.bool("isError") == true { throw ExitCode.failure }
    }

    private static func show(_ result: JSONText) {
        let write = result.bool("isError") == true ? StandardStreams.error : StandardStreams.output
        var isEmpty = true
        if let content = result.value("content") {
            content.elements {
                isEmpty = false
                write(ContentText.words(for: content[$0]) + "\n")
            }
        }
        if isEmpty { write("\(result.value("structuredContent") ?? result)\n") }
    }
}
