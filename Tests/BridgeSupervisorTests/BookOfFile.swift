import BridgeConfiguration
import Glibc

@testable import BridgeSupervisor

extension ConfigurationBook {
    /// The book of one file, whose state is in the same folder.
    convenience init(of path: String, in folder: String) throws {
        let environment = ["MCP_BRIDGE_CONFIG_DIR": folder + "/state"]
        try self.init(
            context: LoadingContext(variables: environment),
            facts: RuntimeFacts(
                runDirectory: folder, statePaths: StatePaths(environment: environment), sealingKey: Secret("key"),
                serviceUID: geteuid(), environment: environment, version: "1"
            ),
            candidates: ConfigurationLocations.candidates(flag: path, environment: environment, isSystemService: false)
        )
    }
}
