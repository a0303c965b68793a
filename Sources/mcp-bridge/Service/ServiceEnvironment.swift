import BridgeConfiguration
import BridgeCore
import BridgeFiles
import BridgeSupervisor
import Glibc
import NIOCore

/// The environment of the installed service, for a command in somebody's shell that speaks about the service's own
/// configuration: what its unit's `EnvironmentFile=`, `StateDirectory=` and `HOME=` come to.
enum ServiceEnvironment {
    /// - Parameters:
    ///   - shell: this process's own environment.
    ///   - isSystem: whether the machine's service is meant, and not this user's.
    ///   - note: told of what cannot be seen from here.
    static func resembling(_ shell: [String: String], isSystem: Bool, note: (String) -> Void) -> [String: String] {
        // The service itself, or somebody who says where everything is.
        guard shell["INVOCATION_ID"] == nil, shell["STATE_DIRECTORY"] == nil, shell["MCP_BRIDGE_CONFIG_DIR"] == nil
        else { return shell }
        var environment = shell
        let folder = { (system: String, variable: String, usual: String) in
            (isSystem ? system : ConfigurationLocations.baseFolder(variable, usual: usual, environment: shell))
                + "/mcp-bridge"
        }
        let state = folder("/var/lib", "XDG_STATE_HOME", ".local/state")
        if access(state, F_OK) == 0 {
            environment["STATE_DIRECTORY"] = state
            if isSystem { environment["HOME"] = state }
        }
        let file = folder("/etc", "XDG_CONFIG_HOME", ".config") + "/environment"
        do {
            guard let bytes = try WholeFile.readIfPresent(file, limit: 1 << 20) else { return environment }
            for variable in EnvironmentFile(bytes).variables {
                environment[variable.name] = variable.value
            }
        } catch {
            note("\(file): warning: cannot be read (\(error)), and is left out")
        }
        return environment
    }
}

extension LoadingContext {
    /// Outside of the service there are no credentials to read. What they would hold is taken for granted.
    ///
    /// - Parameter assumed: told the name of each.
    func assumingCredentials(_ assumed: @escaping @Sendable (String) -> Void) -> LoadingContext {
        guard self.variables["CREDENTIALS_DIRECTORY"] == nil else { return self }
        var context = self
        context.credential = { name in
            assumed(name)
            return Secret.mask
        }
        context.reference = { reference in
            assumed(reference)
            return .known(Secret.mask)
        }
        return context
    }
}
