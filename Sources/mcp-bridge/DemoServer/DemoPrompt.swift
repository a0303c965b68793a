import BridgeCore
import BridgeMCP

/// The prompts of the demo server, with `--everything`.
enum DemoPrompt: String, CaseIterable {
    case content, extra, greeting, plain

    static let styles = ["brief", "formal", "friendly"]

    /// The result of `prompts/list`.
    static func list(for revision: ProtocolRevision, hasExtra: Bool) -> JSONText {
        JSONWriter.object { result in
            result.memberArray("prompts") { prompts in
                for prompt in Self.allCases where prompt != .extra || hasExtra {
                    prompts.object { prompt.describe(in: &$0, for: revision) }
                }
            }
        }
    }

    private func describe(in prompt: inout JSONWriter, for revision: ProtocolRevision) {
        prompt.member("name", self.rawValue)
        if revision >= .v2025_06_18 { prompt.member("title", self.title) }
        prompt.member("description", self.description)
        guard self == .greeting else { return }
        prompt.memberArray("arguments") { arguments in
            arguments.object {
                $0.member("name", "name")
                $0.member("description", "Who is greeted.")
                $0.member("required", true)
            }
            arguments.object {
                $0.member("name", "style")
                $0.member("description", "brief, formal or friendly.")
                $0.member("required", false)
            }
        }
    }

    private var title: String {
        switch self {
        case .content: "Every kind of content"
        case .extra: "A prompt that comes and goes"
        case .greeting: "A greeting"
        case .plain: "A question"
        }
    }

    private var description: String {
        switch self {
        case .content: "Has a message of each kind of content that the client's revision knows."
        case .extra: "Is there after the tool 'change' has put it there."
        case .greeting: "Asks for a greeting in some style."
        case .plain: "Asks something and takes no arguments."
        }
    }

    /// The result of `prompts/get`; nil where an argument is missing.
    func get(_ arguments: JSONText, for revision: ProtocolRevision) -> JSONText? {
        switch self {
        case .content:
            return self.result { messages in
                for kind in DemoContent.kinds(for: revision) {
                    Self.message("user", in: &messages) { kind.write(to: &$0) }
                }
            }
        case .extra, .plain: return self.text("What is the Model Context Protocol for?")
        case .greeting:
            guard let name = arguments.string("name") else { return nil }
            let style = arguments.string("style").map { "a \($0)" } ?? "some"
            return self.text("Write \(style) greeting for \(name).")
        }
    }

    private func text(_ text: String) -> JSONText {
        self.result { messages in
            Self.message("user", in: &messages) {
                $0.member("type", "text")
                $0.member("text", text)
            }
        }
    }

    private func result(_ messages: (inout JSONWriter) -> Void) -> JSONText {
        JSONWriter.object { result in
            result.member("description", self.description)
            result.memberArray("messages", messages)
        }
    }

    private static func message(
        _ role: String, in messages: inout JSONWriter, _ content: (inout JSONWriter) -> Void
    ) {
        messages.object {
            $0.member("role", role)
            $0.memberObject("content", content)
        }
    }
}
