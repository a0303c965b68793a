import Testing

@testable import BridgeConfiguration
@testable import BridgeCore

/// What would keep a program from being started now is a warning of whoever asks what is wrong.
@Suite("Obstacles to a start") struct StartObstacleTests {
    /// `there` is the only program, and `/there` the only folder beside the home.
    private func load(_ entry: String, _ change: (inout LoadingContext) -> Void = { _ in }) -> LoadedConfiguration {
        var context = Loading.context
        context.variables["PATH"] = "/usr/bin"
        context.variables["SECRET"] = "hidden-word"
        context.obstacle = { command, path, folder in
            guard ["/home/ada", "/there"].contains(folder) else { return .folder }
            return command == "there" ? nil : .command("\(command) was not found in \(path ?? "")")
        }
        change(&context)
        return Loading.load("{\"mcpServers\": {\"s\": \(entry)}}", context: context)
    }

    @Test(arguments: [
        #"{"command": "there"}"#, #"{"command": "there", "cwd": "/there"}"#,
        #"{"command": "absent", "disabled": true}"#, #"{"command": "${credential:api}"}"#,
    ])
    func `there is nothing to say of one that is there, or that is not to be started`(entry: String) {
        // As where only the service can read a credential.
        let loaded = self.load(entry) { $0.credential = { _ in Secret.mask } }
        #expect(loaded.diagnostics.isEmpty)
    }

    @Test(arguments: [
        (
            #"{"command": "absent"}"#, "mcpServers.s.command", "absent was not found in /usr/bin.",
            "Install it, or write its whole path: a service has its own PATH, not that of your shell."
        ),
        (
            #"{"command": "there -y package"}"#, "mcpServers.s.command", "there -y package was not found in /usr/bin.",
            "Arguments go under 'args', one by one; 'command' is the program alone."
        ),
        (
            #"{"command": "cmd", "args": ["/c", "npx"]}"#, "mcpServers.s.command", "cmd was not found in /usr/bin.",
            "That is Windows' shell: write what follows its '/c' as 'command' and 'args'."
        ),
        (
            #"{"command": "/opt/absent"}"#, "mcpServers.s.command", "/opt/absent was not found in /usr/bin.",
            "The server cannot be started until it is there and executable."
        ),
        (
            #"{"command": "there", "cwd": "/absent"}"#, "mcpServers.s.cwd", "there is no folder '/absent'.",
            "The server cannot be started until it is there; make it, or write another 'cwd'."
        ),
        (
            #"{"command": "there", "cwd": "absent"}"#, "mcpServers.s.cwd", "there is no folder '/etc/app/absent'.",
            "The server cannot be started until it is there; make it, or write another 'cwd'."
        ),
    ])
    func `what is not there is named, and what to do`(entry: String, key: String, message: String, remedy: String) {
        let loaded = self.load(entry)
        #expect(loaded.fates?.served == ["s"] && loaded.errors.isEmpty)
        #expect(loaded.warnings.map(\.keyPath) == [key])
        #expect(loaded.warnings.map(\.message) == [message])
        #expect(loaded.warnings.map(\.remedy) == [remedy])
    }

    @Test(arguments: [
        #"{"command": "${SECRET}"}"#, #"{"command": "there", "cwd": "/${SECRET}"}"#,
        #"{"command": "absent", "env": {"PATH": "/${SECRET}"}}"#,
    ])
    func `what came from elsewhere is not shown`(entry: String) {
        let loaded = self.load(entry)
        #expect(loaded.warnings.count == 1)
        #expect(!loaded.warnings.contains { "\($0)".contains("hidden-word") })
    }

    @Test func `a program is looked for in the PATH that it will have, and from where it runs`() {
        let told = self.load(#"{"command": "there"}"#) { $0.obstacle = { .command("\($0) \($1 ?? "") \($2)") } }
        #expect(told.warnings.map(\.message) == ["there /usr/bin /home/ada."])
        let own = self.load(#"{"command": "there", "env": {"PATH": "/opt/bin"}}"#) {
            $0.obstacle = { $1 == "/opt/bin" ? nil : .command("\($0) \($2)") }
        }
        #expect(own.diagnostics.isEmpty)
    }

    @Test func `a project's folder that is gone is named at its server`() {
        var context = Loading.context
        context.obstacle = { _, _, folder in folder == "/src/gone" ? .folder : nil }
        let loaded = Loading.load(
            #"{"projects": {"/src/gone": {"mcpServers": {"s": {"command": "x"}}}}}"#, context: context)
        #expect(loaded.warnings.map(\.message) == ["there is no folder '/src/gone'."])
        #expect(loaded.warnings.map(\.keyPath) == ["projects./src/gone.mcpServers.s"])
    }

    @Test func `nobody looks unless he is asked to`() {
        #expect(Loading.load(#"{"mcpServers": {"s": {"command": "/no/such", "cwd": "/no"}}}"#).diagnostics.isEmpty)
    }
}
