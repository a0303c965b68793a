package import BridgeCore
package import NIOCore

/// One message of a conversation.
package struct ChatTurn: Sendable, Hashable {
    package enum Role: Sendable, Hashable {
        case user, assistant
        /// A system text that does not come first. It keeps its place.
        case system
    }

    package var role: Role
    package var blocks: [ChatBlock]

    package init(_ role: Role, _ blocks: [ChatBlock]) {
        self.role = role
        self.blocks = blocks
    }

    package static func user(_ text: String) -> ChatTurn { ChatTurn(.user, [.text(text)]) }
    package static func assistant(_ text: String) -> ChatTurn { ChatTurn(.assistant, [.text(text)]) }

    /// Whether it answers calls and does nothing else.
    var holdsOnlyResults: Bool {
        !self.blocks.isEmpty
            && self.blocks.allSatisfy {
                if case .toolResult = $0 { true } else { false }
            }
    }
}

package enum ChatBlock: Sendable, Hashable {
    case content(ChatContent)
    /// In turns of the assistant only.
    case toolUse(ChatToolUse)
    /// In turns of the user only.
    case toolResult(ChatToolResult)

    package static func text(_ text: String) -> ChatBlock { .content(.text(text)) }
    package static func image(_ media: ChatMedia) -> ChatBlock { .content(.image(media)) }
    package static func audio(_ media: ChatMedia) -> ChatBlock { .content(.audio(media)) }
}

/// What is said, shown or heard.
package enum ChatContent: Sendable, Hashable {
    case text(String)
    case image(ChatMedia)
    case audio(ChatMedia)
}

/// An image or a sound.
package struct ChatMedia: Sendable, Hashable {
    /// Characters of base64 and nothing else, padded: they may stand between quotes as they are. Shares the request's bytes.
    package let base64: ByteBuffer
    package let mimeType: String

    package init(base64: ByteBuffer, mimeType: String) {
        self.base64 = base64
        self.mimeType = mimeType
    }
}

/// A call of a tool that the model made.
package struct ChatToolUse: Sendable, Hashable {
    package var id: String
    package var name: String
    /// An object, as it was written.
    package var input: JSONText
    /// A call of a tool that takes a plain text. Its input is ``freeformInput(_:)``.
    package var isFreeform = false

    package init(id: String, name: String, input: JSONText, isFreeform: Bool = false) {
        self.id = id
        self.name = name
        self.input = input
        self.isFreeform = isFreeform
    }
}

/// What became of a call.
package struct ChatToolResult: Sendable, Hashable {
    package var id: String
    package var content: [ChatContent]
    package var isError: Bool
    /// Whether it answers a tool that takes a plain text.
    package var isFreeform = false

    package init(id: String, content: [ChatContent], isError: Bool = false, isFreeform: Bool = false) {
        self.id = id
        self.content = content
        self.isError = isError
        self.isFreeform = isFreeform
    }
}

extension ChatToolUse {
    /// The object that stands for a plain text.
    static func freeformInput(_ text: String) -> JSONText {
        JSONWriter.object { $0.member("input", text) }
    }

    /// The plain text of a call; the whole input where the model has not kept to the schema.
    var freeformText: String { self.input.string("input") ?? self.input.description }

    /// What stands for arguments that are not an object: nothing of them is lost.
    static func rawInput(_ text: String) -> JSONText {
        JSONWriter.object { $0.member("_raw", text) }
    }

    /// Arguments that a client or a source gives as a text.
    static func input(parsing arguments: String) -> JSONText {
        if arguments.isEmpty { return .emptyObject }
        guard let text = try? JSONText(validating: ByteBuffer(string: arguments)), text.kind == .object else {
            return Self.rawInput(arguments)
        }
        return text.withWholePairs
    }

    /// The arguments as a text.
    var arguments: String { self.input.compact.description }
}
