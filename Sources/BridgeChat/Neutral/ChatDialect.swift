/// One of the model APIs over HTTP that programs speak.
///
/// It follows from the path of a request, never from its headers: clients of one dialect send the other's.
package enum ChatDialect: String, Sendable, CaseIterable {
    /// OpenAI's `/v1/chat/completions`.
    case completions
    /// OpenAI's `/v1/responses`.
    case responses
    /// Anthropic's `/v1/messages`.
    case messages

    /// Whose objects errors and headers are.
    package var family: ChatFamily { self == .messages ? .anthropic : .openAI }
}

package enum ChatFamily: Sendable, CaseIterable {
    case openAI, anthropic
}
