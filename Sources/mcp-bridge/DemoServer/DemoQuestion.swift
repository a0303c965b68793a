import BridgeCore
import BridgeMCP

/// What the client has said that it can be asked.
struct DemoClient {
    private(set) var hasSampling = false
    private(set) var hasSamplingTools = false
    private(set) var hasForms = false
    private(set) var hasURLs = false
    private(set) var hasRoots = false

    init() {}

    init(_ capabilities: JSONText) {
        let sampling = capabilities.value("sampling")
        let elicitation = capabilities.value("elicitation")
        self.hasSampling = sampling != nil
        self.hasSamplingTools = sampling?.value("tools") != nil
        self.hasURLs = elicitation?.value("url") != nil
        // An empty object means forms (client/elicitation, "Capabilities").
        self.hasForms = elicitation != nil && (elicitation?.value("form") != nil || !self.hasURLs)
        self.hasRoots = capabilities.value("roots") != nil
    }
}

/// Something that a tool asks the client.
enum DemoQuestion: Equatable {
    case model(prompt: String, withTools: Bool)
    case person(shape: DemoShape)
    case page(id: String)
    case roots

    var method: String {
        switch self {
        case .model: "sampling/createMessage"
        case .person, .page: "elicitation/create"
        case .roots: "roots/list"
        }
    }

    func canBeAsked(of client: DemoClient) -> Bool {
        switch self {
        case .model(_, let withTools): withTools ? client.hasSamplingTools : client.hasSampling
        case .person: client.hasForms
        case .page: client.hasURLs
        case .roots: client.hasRoots
        }
    }

    func parameters(for revision: ProtocolRevision) -> JSONText? {
        switch self {
        case .model(let prompt, let withTools): Self.sampling(prompt, withTools)
        case .person(let shape):
            JSONWriter.object {
                if revision >= .v2025_11_25 { $0.member("mode", "form") }
                $0.member("message", "Please fill this in (\(shape.rawValue)).")
                $0.member("requestedSchema", shape.schema(for: revision))
            }
        case .page(let id): Self.page(id)
        case .roots: nil
        }
    }

    private static func sampling(_ prompt: String, _ withTools: Bool) -> JSONText {
        JSONWriter.object { params in
            params.memberArray("messages") { messages in
                messages.object {
                    $0.member("role", "user")
                    $0.memberObject("content") {
                        $0.member("type", "text")
                        $0.member("text", prompt)
                    }
                }
            }
            params.member("systemPrompt", "Answer in one sentence.")
            params.member("maxTokens", 100)
            guard withTools else { return }
            params.member(
                "tools",
                JSONText(
                    literal:
                        #"[{"name":"look_up","description":"Looks a word up.","inputSchema":{"type":"object","properties":{"word":{"type":"string"}}}}]"#
                ))
            params.member("toolChoice", JSONText(literal: #"{"mode":"auto"}"#))
        }
    }

    /// One page that a person is to open.
    static func page(_ id: String) -> JSONText {
        JSONWriter.object {
            $0.member("mode", "url")
            $0.member("message", "Please open this page.")
            $0.member("url", "https://example.com/confirm?id=\(id)")
            $0.member("elicitationId", id)
        }
    }

    /// What came back, for the text of the tool's result.
    func words(for answer: JSONText) -> String {
        switch self {
        case .model:
            let content = answer.value("content")
            let said = content?.string("text") ?? content.map { String(describing: $0) } ?? "nothing"
            return "The model \(answer.string("model") ?? "") said: \(said)"
        case .person, .page:
            let content = answer.value("content").map { " \($0)" } ?? ""
            return "The person answered: \(answer.string("action") ?? "nothing")\(content)"
        case .roots:
            var uris: [String] = []
            if let roots = answer.value("roots") {
                roots.elements { uris.append(roots[$0].string("uri") ?? "") }
            }
            return "The roots are: \(uris.joined(separator: ", "))"
        }
    }
}

/// What a form asks for.
enum DemoShape: String, CaseIterable {
    case text, number, integer, boolean, choice, titled, several, titledSeveral, defaults, all

    func schema(for revision: ProtocolRevision) -> JSONText {
        let kinds: [DemoShape] = self == .all ? Self.allCases.filter { $0 != .all } : [self]
        return JSONWriter.object { schema in
            schema.member("type", "object")
            schema.memberObject("properties") { properties in
                for kind in kinds {
                    if let property = kind.property(for: revision) { properties.member(kind.rawValue, property) }
                }
            }
        }
    }

    /// Several choices at once, and titles beside each choice, came with 2025-11-25.
    private func property(for revision: ProtocolRevision) -> JSONText? {
        switch self {
        case .text: JSONText(literal: #"{"type":"string","title":"Text","minLength":1,"maxLength":100}"#)
        case .number: JSONText(literal: #"{"type":"number","minimum":0,"maximum":10}"#)
        case .integer: JSONText(literal: #"{"type":"integer","minimum":0,"maximum":10}"#)
        case .boolean: JSONText(literal: #"{"type":"boolean","description":"Yes or no."}"#)
        case .choice: JSONText(literal: #"{"type":"string","enum":["red","green","blue"]}"#)
        case .titled:
            revision >= .v2025_11_25
                ? JSONText(
                    literal: #"{"type":"string","oneOf":[{"const":"r","title":"Red"},{"const":"g","title":"Green"}]}"#)
                : JSONText(literal: #"{"type":"string","enum":["r","g"],"enumNames":["Red","Green"]}"#)
        case .several:
            revision >= .v2025_11_25
                ? JSONText(
                    literal: #"{"type":"array","items":{"type":"string","enum":["red","green","blue"]},"minItems":1}"#)
                : nil
        case .titledSeveral:
            revision >= .v2025_11_25
                ? JSONText(
                    literal:
                        #"{"type":"array","items":{"anyOf":[{"const":"r","title":"Red"},{"const":"g","title":"Green"}]}}"#
                ) : nil
        case .defaults:
            revision >= .v2025_11_25
                ? JSONText(literal: #"{"type":"string","format":"email","default":"ada@example.com"}"#)
                : JSONText(literal: #"{"type":"string","format":"email"}"#)
        case .all: nil
        }
    }
}
