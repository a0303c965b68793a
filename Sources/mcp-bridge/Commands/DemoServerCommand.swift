import ArgumentParser

struct DemoServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo-server",
        abstract: "A small MCP server on standard input and output, to try things with.",
        discussion: "This is what 'serve' serves when there is no configuration."
    )

    @Flag(help: "Something of all that servers can have: prompts, resources, completion, questions, tasks, paging.")
    var everything = false

    func run() throws { try DemoServer(isEverything: self.everything).run() }
}
