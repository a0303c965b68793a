import BridgeCore

/// Completions of the demo server, with `--everything`.
enum DemoCompletion {
    /// No more values than this are allowed in one answer (server/utilities/completion).
    private static let maximum = 100

    /// The result of `completion/complete`; nil for a reference to what there is not.
    ///
    /// - Parameter context: the arguments that have been chosen already.
    static func complete(_ reference: JSONText, argument: String, value: String, context: JSONText?) -> JSONText? {
        switch reference.string("type") {
        case "ref/prompt":
            guard reference.string("name").flatMap(DemoPrompt.init(rawValue:)) != nil else { return nil }
            return self.result(self.values(ofPromptArgument: argument, context), value)
        case "ref/resource":
            guard let uri = reference.string("uri"), DemoResources.templates.contains(uri) else { return nil }
            return self.result(argument == "number" ? (1...300).map(String.init) : ["a/b", "a/c"], value)
        default: return nil
        }
    }

    private static func values(ofPromptArgument argument: String, _ context: JSONText?) -> [String] {
        switch argument {
        case "style": DemoPrompt.styles
        case "name": context?.string("style") == "formal" ? ["Dr. Ada", "Dr. Alan"] : ["Ada", "Alan"]
        default: []
        }
    }

    private static func result(_ values: [String], _ value: String) -> JSONText {
        let found = values.filter { $0.hasPrefix(value) }
        return JSONWriter.object { result in
            result.memberObject("completion") {
                $0.member("values", Array(found.prefix(Self.maximum)))
                $0.member("total", found.count)
                $0.member("hasMore", found.count > Self.maximum)
            }
        }
    }
}
