import BridgeCore
import Logging

/// What the front on standard input and output says of itself.
enum StdioNotes: Sendable {
    /// On standard error: `[mcp-bridge-stdio] words {facts}`.
    case spoken
    case logged(Logger)

    /// - Parameter facts: stand behind the words.
    func say(_ words: String, _ facts: KeyValuePairs<String, String> = [:]) {
        switch self {
        case .spoken:
            let json = JSONWriter.object { object in for (key, value) in facts { object.member(key, value) } }
            StandardStreams.error("[mcp-bridge-stdio] \(words)\(facts.isEmpty ? "" : " \(json)")\n")
        case .logged(let logger):
            let metadata = facts.map { ($0.key, Logger.MetadataValue.string($0.value)) }
            logger.warning("\(words)", metadata: Logger.Metadata(metadata) { first, _ in first })
        }
    }
}
