import BridgeCore

/// What the front says of itself, on standard error.
enum StdioNotes {
    /// - Parameter facts: stand behind the words, as JSON.
    static func say(_ words: String, _ facts: KeyValuePairs<String, String> = [:]) {
        let json = JSONWriter.object { object in for (key, value) in facts { object.member(key, value) } }
        StandardStreams.error("[mcp-bridge-stdio] \(words)\(facts.isEmpty ? "" : " \(json)")\n")
    }
}
