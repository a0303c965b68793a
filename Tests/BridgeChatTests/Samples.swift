import BridgeCore
import NIOCore

@testable import BridgeChat

/// JSON as a test writes it.
func json(_ text: String) throws -> JSONText { try JSONText(validating: ByteBuffer(string: text)) }

/// The fault that something throws; nil when it throws none.
func fault(_ body: () throws -> Void) throws -> ChatFault? {
    do {
        try body()
        return nil
    } catch let fault as ChatFault {
        return fault
    }
}

enum Samples {
    static let identity = ReplyIdentity(
        requestID: "0f8fad5b-d9cb-469f-a165-70867728950e", created: 1_780_000_000, model: "gpt-5")

    /// The smallest PNG there is.
    static let png =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    static let jpeg = "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAEBAQ=="

    static func media(_ base64: String = png, _ type: String = "image/png") -> ChatMedia {
        ChatMedia(base64: ByteBuffer(string: base64), mimeType: type)
    }

    /// A body of a dialect around its messages, or its input.
    static func body(_ dialect: ChatDialect, _ messages: String, _ more: String = "") throws -> JSONText {
        let name = dialect == .responses ? "input" : "messages"
        return try json(#"{"model":"m","\#(name)":\#(messages)\#(more.isEmpty ? "" : "," + more)}"#)
    }

    static func request(_ dialect: ChatDialect, _ messages: String, _ more: String = "") throws -> ChatRequest {
        try dialect.request(from: try Self.body(dialect, messages, more))
    }

    /// A request that says hello, and these members.
    static func asking(_ dialect: ChatDialect, _ more: String) throws -> ChatRequest {
        try Self.request(dialect, #"[{"role":"user","content":"hi"}]"#, more)
    }

    static func params(
        _ request: ChatRequest, _ abilities: SamplingAbilities = .init(takesTools: true, takesAudio: true)
    ) throws -> SamplingParams {
        try SamplingParams(
            request, preferences: ModelPreferences(model: request.model), maximumTokens: 100, abilities: abilities)
    }

    /// The messages of the params, as they are written.
    static func messages(
        _ request: ChatRequest, _ abilities: SamplingAbilities = .init(takesTools: true, takesAudio: true)
    ) throws -> String {
        try Self.params(request, abilities).text.value("messages")?.description ?? ""
    }

    static func tool(_ dialect: ChatDialect, _ name: String = "f") -> String {
        switch dialect {
        case .completions: #"{"type":"function","function":{"name":"\#(name)","parameters":{"type":"object"}}}"#
        case .responses: #"{"type":"function","name":"\#(name)","parameters":{"type":"object"}}"#
        case .messages: #"{"name":"\#(name)","input_schema":{"type":"object"}}"#
        }
    }
}
