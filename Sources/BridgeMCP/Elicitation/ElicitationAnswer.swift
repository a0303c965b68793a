package import BridgeCore

/// What a person has said to a question (client/elicitation, "Response Actions").
package enum ElicitationAnswer: Sendable, Hashable {
    /// With what was filled in; a page that was agreed to has nothing.
    case accept(JSONText?)
    case decline
    case cancel

    /// The result of `elicitation/create`.
    package var result: JSONText {
        JSONWriter.object { result in
            switch self {
            case .accept(let content):
                result.member("action", "accept")
                result.member("content", ifPresent: content)
            case .decline: result.member("action", "decline")
            case .cancel: result.member("action", "cancel")
            }
        }
    }
}

/// Why a question cannot be put to a person. Its words are for the server.
package enum ElicitationProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// A mode that has not been declared, or that nobody knows.
    case unknownMode(String)
    case noSchema
    /// A property that has to be filled in and is of no kind that a form has.
    case unanswerable(property: String)
    case tooManyProperties(limit: Int)
    case noURL
    /// It is no address of a page, or could be taken for another one.
    case badURL

    package var description: String {
        switch self {
        case .unknownMode(let mode): "the elicitation mode '\(mode)' is not known here"
        case .noSchema: "requestedSchema must be an object with properties"
        case .unanswerable(let property): "the property '\(property)' is required, and of no kind that a form may have"
        case .tooManyProperties(let limit): "a form may have \(limit) properties at most"
        case .noURL: "a question of mode 'url' needs a url"
        case .badURL: "the url must be a plain http or https URL"
        }
    }
}
