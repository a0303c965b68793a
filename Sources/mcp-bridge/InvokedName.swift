/// The names under which the program is installed besides its own: each is one command, as the programs were called whose place
/// it takes.
enum InvokedName {
    private static let commands = [
        "mcp-gateway": "gateway", "mcp-bridge-stdio": "stdio", "mcptb": "token-bridge",
    ]

    /// What is to be parsed, without the program's name.
    ///
    /// - Parameter all: as the process has them; the first is what it was called by.
    static func arguments(_ all: [String]) -> [String] {
        guard let name = all.first?.split(separator: "/").last else { return [] }
        return (Self.commands[String(name)].map { [$0] } ?? []) + all.dropFirst()
    }
}
