/// What would keep a program from being started here and now. It may be there tomorrow, so these are warnings.
extension ServerEntryReader {
    mutating func lookForObstacles(
        to program: UpstreamTarget.Program, at entry: ConfigurationNode, _ object: inout ObjectReader
    ) {
        let folder = program.workingDirectory ?? ConfiguredText(self.context.standardDirectory)
        // What stands for a credential that only the service can read leads nowhere.
        guard self.isEnabled, ![program.command.value, folder.value].contains(where: { $0.contains(Secret.mask) })
        else {
            return
        }
        let path = ChildEnvironment.make(
            service: self.context.variables, entry: program.environment, removing: program.removedVariables
        )["PATH"]?.value
        switch self.context.obstacle(program.command.value, path, folder.value) {
        case nil: break
        case .folder:
            let node = object.take("cwd") ?? entry
            self.report.warning(
                node, folder.isMasked ? "there is no such folder." : "there is no folder '\(folder.value)'.",
                remedy: "The server cannot be started until it is there; make it, or write another 'cwd'."
            )
        case .command(let reason):
            let isShown = !program.command.isMasked && !folder.isMasked && program.environment["PATH"] == nil
            self.report.warning(
                object.take("command") ?? entry, isShown ? "\(reason)." : "there is no such program.",
                remedy: Self.remedy(for: program.command.masked)
            )
        }
    }

    private static func remedy(for command: String) -> String {
        if ["cmd", "cmd.exe"].contains(command.lowercased()) {
            return "That is Windows' shell: write what follows its '/c' as 'command' and 'args'."
        }
        if command.contains(" ") { return "Arguments go under 'args', one by one; 'command' is the program alone." }
        return command.contains("/")
            ? "The server cannot be started until it is there and executable."
            : "Install it, or write its whole path: a service has its own PATH, not that of your shell."
    }
}
