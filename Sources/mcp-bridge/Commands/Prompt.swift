import ArgumentParser
import BridgeCore

struct Prompt: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prompt", abstract: "Get a prompt and print its messages.",
        discussion: """
            For example: mcp-bridge prompt notes.summary style=short
            A server that asks something in the meantime asks at the terminal, where there is one. Ctrl-C cancels.
            Exit status: 0 a prompt, 1 an error (its text goes to standard error), 2 an argument is not KEY=VALUE, \
            130 cancelled.
            """
    )

    @OptionGroup var service: ServiceOptions
    @OptionGroup var questions: QuestionOptions

    @Argument(help: "The prompt's name, as 'mcp-bridge prompts' lists it.")
    var name: String

    @Argument(help: "Its arguments, each as KEY=VALUE.")
    var arguments: [String] = []

    @Flag(help: "The whole result as JSON, not only its text.")
    var json = false

    func run() throws {
        var values: [(key: String, value: String)] = []
        for argument in self.arguments {
            guard let mark = argument.firstIndex(of: "="), mark > argument.startIndex else {
                StandardStreams.error("mcp-bridge: '\(argument)' is not KEY=VALUE\n")
                throw ExitCode(2)
            }
            values.append((String(argument[..<mark]), String(argument[argument.index(after: mark)...])))
        }
        let parameters = JSONWriter.object { params in
            params.member("name", self.name)
            params.memberObject("arguments") { for (key, value) in values { $0.member(key, value) } }
        }
        let result = try self.service.result(
            of: "prompts/get", parameters, asking: self.questions, for: "'\(self.name)'")
        if self.json { return ContentText.showAsJSON(result) }
        guard let messages = result.value("messages") else { return }
        messages.elements { span in
            let message = messages[span]
            guard let content = message.value("content") else { return }
            StandardStreams.output("\(message.string("role") ?? ""): \(ContentText.words(for: content))\n")
        }
    }
}
