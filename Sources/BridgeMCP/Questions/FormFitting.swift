import BridgeCore
import NIOCore

/// Fits a form to what its client's revision has for fields (client/elicitation, "Requested Schema").
///
/// Forms have fields of one kind each, and who leaves one empty leaves it out. Servers say that of a field in the words of
/// JSON Schema as well, `null` among its kinds. Clients of 2025-06-18 know choices with titles as `enumNames`, and cannot be
/// asked for several choices at once.
enum FormFitting {
    static func verdict(on question: RPCMessage, to revision: ProtocolRevision) -> QuestionFitting.Verdict {
        let text = question.text
        guard let schema = question.param("requestedSchema"), schema.kind == .object,
            let properties = text.member("properties", in: schema), properties.kind == .object
        else { return .ask([]) }
        var edits: [QuestionFitting.Edit] = []
        var reason: String?
        text.members(in: properties) { key, field in
            guard reason == nil, field.kind == .object else { return }
            let fitted = self.fitted(text[field], to: revision)
            if revision < .v2025_11_25, (fitted ?? text[field]).string("type") == "array" {
                reason = "the client's revision of the protocol has no choice of several ('\(key.string.prefix(64))')"
            } else if let fitted {
                edits.append(QuestionFitting.Edit(field, fitted.bytes))
            }
        }
        return reason.map(QuestionFitting.Verdict.refuse) ?? .ask(edits)
    }

    /// - Returns: nil where the field is as that revision has it.
    private static func fitted(_ field: JSONText, to revision: ProtocolRevision) -> JSONText? {
        let kinds = self.kinds(of: field)
        guard let widest = self.widest(kinds) else { return self.ofOneType(field) }
        guard kinds.allSatisfy({ $0.member("const") != nil }) else { return self.field(field, of: widest) }
        guard revision >= .v2025_11_25 else { return self.choices(kinds, of: field, asNames: true) }
        let mayBeNull = self.elements(of: field.value("oneOf")).contains(where: self.isNull)
        let isFit = field.member("anyOf") == nil && field.string("type") == "string" && !mayBeNull
        return isFit ? nil : self.choices(kinds, of: field, asNames: false)
    }

    /// What the field's values may be, if that is said by examples of schemas; `null` is none.
    private static func kinds(of field: JSONText) -> [JSONText] {
        var kinds: [JSONText] = []
        for kind in self.elements(of: field.value("anyOf") ?? field.value("oneOf")) {
            if kind.kind == .object, !self.isNull(kind) { kinds.append(kind) }
        }
        return kinds
    }

    private static func isNull(_ kind: JSONText) -> Bool { kind.string("type") == "null" }

    /// The kind that takes whatever is written: a text, else a number, else the first.
    private static func widest(_ kinds: [JSONText]) -> JSONText? {
        kinds.first { $0.string("type") == "string" } ?? kinds.first { $0.string("type") == "number" } ?? kinds.first
    }

    /// The field with one kind of value, which says what the field does not say itself.
    private static func field(_ field: JSONText, of kind: JSONText) -> JSONText {
        JSONWriter.object { fitted in
            for (key, value) in self.members(of: field) where !["anyOf", "oneOf", "type"].contains(key) {
                fitted.member(key, value)
            }
            for (key, value) in self.members(of: kind) where key == "type" || field.member(named: key) == nil {
                fitted.member(key, value)
            }
        }
    }

    /// - Returns: nil where the field has one type, and no default that is of none.
    private static func ofOneType(_ field: JSONText) -> JSONText? {
        let types = self.elements(of: field.value("type")).filter { $0.string != "null" }
        let schemas = types.map { type in JSONWriter.object { $0.member("type", type) } }
        if let widest = self.widest(schemas) { return self.field(field, of: widest) }
        return field.value("default")?.isNull == true ? field.without("default") : nil
    }

    /// A choice of one.
    private static func choices(_ kinds: [JSONText], of field: JSONText, asNames: Bool) -> JSONText {
        let title = { (kind: JSONText) in kind.value("title") ?? kind.value("const") }
        return JSONWriter.object { fitted in
            fitted.member("type", "string")
            for (key, value) in self.members(of: field) where ["title", "description", "default"].contains(key) {
                fitted.member(key, value)
            }
            guard asNames else {
                fitted.memberArray("oneOf") { list in
                    for kind in kinds {
                        list.object {
                            $0.member("const", kind.value("const"))
                            $0.member("title", title(kind))
                        }
                    }
                }
                return
            }
            fitted.memberArray("enum") { list in for kind in kinds { list.element(kind.value("const")) } }
            fitted.memberArray("enumNames") { list in for kind in kinds { list.element(title(kind)) } }
        }
    }

    private static func elements(of array: JSONText?) -> [JSONText] {
        var elements: [JSONText] = []
        array?.elements { if let array { elements.append(array[$0]) } }
        return elements
    }

    /// Without a default that is none.
    private static func members(of object: JSONText) -> [(String, JSONText)] {
        var members: [(String, JSONText)] = []
        object.members { key, span in
            if !(key == "default") || span.kind != .null { members.append((key.string, object[span])) }
        }
        return members
    }
}
