import BridgeCore
import NIOCore

/// Fits a form to clients of 2025-06-18, which know fewer kinds of fields.
///
/// Choices with titles become `enumNames`, as that revision has them. Several choices at once cannot be asked there.
enum FormFitting {
    static func verdict(on question: RPCMessage) -> QuestionFitting.Verdict {
        let text = question.text
        guard let schema = question.param("requestedSchema"), schema.kind == .object,
            let properties = text.member("properties", in: schema), properties.kind == .object
        else { return .ask([]) }
        var edits: [QuestionFitting.Edit] = []
        var reason: String?
        text.members(in: properties) { key, field in
            guard reason == nil, field.kind == .object else { return }
            if text[field].string("type") == "array" {
                reason = "the client's revision of the protocol has no choice of several ('\(key.string.prefix(64))')"
            } else if let fitted = self.fitted(text[field]) {
                edits.append(QuestionFitting.Edit(field, fitted))
            }
        }
        return reason.map(QuestionFitting.Verdict.refuse) ?? .ask(edits)
    }

    /// - Returns: nil where the field is as that revision has it.
    private static func fitted(_ field: JSONText) -> ByteBuffer? {
        guard let choices = field.value("oneOf") ?? field.value("anyOf"), choices.kind == .array else { return nil }
        return JSONWriter.object { fitted in
            fitted.member("type", "string")
            for key in ["title", "description", "default"] {
                if let value = field.member(named: key) { fitted.member(key, field[value]) }
            }
            fitted.memberArray("enum") { list in
                choices.elements { list.element(choices[$0].value("const") ?? JSONText(literal: #""""#)) }
            }
            fitted.memberArray("enumNames") { list in
                choices.elements { choice in
                    let name = choices[choice].value("title") ?? choices[choice].value("const")
                    list.element(name ?? JSONText(literal: #""""#))
                }
            }
        }.bytes
    }
}
