import ArgumentParser
import Testing

@testable import mcp_bridge

@Suite("Names of commands") struct CommandNamesTests {
    /// ArgumentParser makes up the name of a command that has none, from its type's, by reflection: that is a third of the time in
    /// which the program starts, and each worker is one.
    @Test func `are all written down`() {
        var commands: [any ParsableCommand.Type] = [MCPBridge.self]
        var count = 0
        while let command = commands.popLast() {
            #expect(command.configuration.commandName != nil, "\(command)")
            commands += command.configuration.subcommands
            count += 1
        }
        #expect(count > 20)
    }
}
