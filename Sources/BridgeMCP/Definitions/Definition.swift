package import BridgeCore
import NIOCore

/// A definition of one entry (a tool, a prompt, …) as clients may be shown it.
///
/// One entry that a client's schema refuses would cost that client the whole list, those of all other servers included. So
/// what has one meaning is mended, and what has none is left out. Everything that no rule is about stays byte for byte.
package struct Definition: Sendable, Hashable {
    /// What clients are shown; nil where the definition means nothing.
    package let text: JSONText?
    /// What was wrong with it, for people: empty for a definition as it should be.
    package let flaws: [String]

    package init(_ definition: JSONText, of offering: Offering) {
        if let flaw = Self.flawOfIdentity(definition, offering) {
            (self.text, self.flaws) = (nil, [flaw])
            return
        }
        var mender = DefinitionMender()
        let whole = definition.mendedSurrogates
        if whole != nil { mender.flaws.append("half of a surrogate pair was replaced") }
        let text = whole ?? definition
        switch mender.mend(text, as: .object(.of(offering)), at: "") {
        case .kept: self.text = text
        case .changed(let mended): self.text = mended
        case .leftOut: self.text = nil
        }
        self.flaws = mender.flaws
    }

    /// What tells entries apart is never mended: its server would not know it again.
    private static func flawOfIdentity(_ definition: JSONText, _ offering: Offering) -> String? {
        let name = offering.identity.string
        var found: [JSONText] = []
        definition.members { key, value in if key == offering.identity.text { found.append(definition[value]) } }
        guard found.count <= 1 else { return "\(name) is there twice" }
        guard let identity = found.first else { return nil }
        if identity.string == "" { return "\(name) is empty" }
        return identity.mendedSurrogates == nil ? nil : "\(name) has half of a surrogate pair"
    }
}

/// Goes through a definition by its rules.
private struct DefinitionMender {
    enum Outcome {
        case kept
        case changed(JSONText)
        case leftOut
    }

    var flaws: [String] = []

    /// What becomes of a member that is not of its shape.
    private enum Verdict {
        case member(Outcome)
        /// The member is left out, what it stands in stays.
        case unknown
    }

    mutating func mend(_ value: JSONText, as shape: DefinitionRules.Shape, at path: String) -> Outcome {
        switch self.verdict(on: value, as: shape, at: path) {
        case .member(let outcome): outcome
        case .unknown: .leftOut
        }
    }

    private mutating func verdict(on value: JSONText, as shape: DefinitionRules.Shape, at path: String) -> Verdict {
        switch shape {
        case .string: return self.require(value.kind == .string, path, "is not a string")
        case .uri: return self.require(value.string.map(Self.hasScheme) ?? false, path, "is not a URI")
        case .boolean: return self.require(value.bool != nil, path, "is neither true nor false")
        case .number: return self.require(value.kind == .number, path, "is not a number")
        case .constant(let text): return self.require(value.string == text, path, "is not \"\(text)\"")
        case .numberWithin(let range):
            guard value.kind == .number else { return self.require(false, path, "is not a number") }
            return self.know(value.double.map(range.contains) ?? false, path)
        case .word(let words):
            guard let word = value.string else { return self.require(false, path, "is not a string") }
            return self.know(words.contains(word), path)
        case .array(let element):
            guard value.kind == .array else { return self.require(false, path, "is not an array") }
            return .member(self.elements(of: value, as: element, at: path))
        case .object(let rules):
            guard value.kind == .object else { return self.require(false, path, "is not an object") }
            return .member(self.members(of: value, by: rules, at: path))
        }
    }

    private mutating func require(_ isRight: Bool, _ path: String, _ flaw: String) -> Verdict {
        if !isRight { self.flaws.append("\(path.isEmpty ? "it" : path) \(flaw)") }
        return .member(isRight ? .kept : .leftOut)
    }

    private mutating func know(_ isKnown: Bool, _ path: String) -> Verdict {
        if isKnown { return .member(.kept) }
        self.flaws.append("\(path) has a value that MCP does not know")
        return .unknown
    }

    private static func hasScheme(_ uri: String) -> Bool {
        let scheme = uri.utf8.prefix { $0 != UInt8(ascii: ":") }
        guard let first = scheme.first, scheme.count < uri.utf8.count, Self.isLetter(first) else { return false }
        return scheme.allSatisfy { Self.isLetter($0) || (0x30...0x39).contains($0) || [0x2b, 0x2d, 0x2e].contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5a).contains(byte & 0xdf) }

    private mutating func elements(of array: JSONText, as shape: DefinitionRules.Shape, at path: String) -> Outcome {
        var kept: [JSONText] = []
        var isChanged = false
        var isLost = false
        var number = 0
        array.elements { span in
            defer { number += 1 }
            switch self.verdict(on: array[span], as: shape, at: "\(path)[\(number)]") {
            case .member(.kept): kept.append(array[span])
            case .member(.changed(let mended)):
                kept.append(mended)
                isChanged = true
            case .member(.leftOut): isLost = true
            case .unknown: isChanged = true
            }
        }
        if isLost { return .leftOut }
        return isChanged ? .changed(JSONWriter.array { for element in kept { $0.element(element) } }) : .kept
    }

    private mutating func members(of object: JSONText, by rules: DefinitionRules, at path: String) -> Outcome {
        var missing = rules.members.filter { $0.isRequired || $0.standard != nil }
        var kept: [(key: JSONKey, value: JSONText)] = []
        var isChanged = false
        var isLost = false
        object.members { key, span in
            let value = object[span]
            guard let rule = rules.member(key.string) else { return kept.append((key, value)) }
            let place = path.isEmpty ? rule.name : "\(path).\(rule.name)"
            guard !value.isNull else {
                if rule.standard == nil, !rule.isRequired { self.flaws.append("\(place) is null") }
                isChanged = true
                return
            }
            missing.removeAll { $0.name == rule.name }
            switch self.verdict(on: value, as: rule.shape, at: place) {
            case .member(.kept): kept.append((key, value))
            case .member(.changed(let mended)):
                kept.append((key, mended))
                isChanged = true
            case .member(.leftOut): isLost = true
            case .unknown: isChanged = true
            }
        }
        for rule in missing {
            self.flaws.append("\(path.isEmpty ? "" : "\(path).")\(rule.name) is missing")
            if rule.standard == nil { isLost = true } else { isChanged = true }
        }
        guard !isLost else { return .leftOut }
        guard isChanged else { return .kept }
        let added = missing.compactMap { rule in rule.standard.map { (rule.name, $0) } }
        return .changed(Self.object(kept, added))
    }

    /// Keys and values as they were written, in their order.
    private static func object(
        _ members: [(key: JSONKey, value: JSONText)], _ added: [(name: String, value: JSONText)]
    ) -> JSONText {
        var buffer = ByteBuffer()
        buffer.writeStaticString("{")
        for (index, member) in members.enumerated() {
            if index > 0 { buffer.writeStaticString(",") }
            member.key.text.write(to: &buffer)
            buffer.writeStaticString(":")
            member.value.write(to: &buffer)
        }
        for (index, member) in added.enumerated() {
            if index > 0 || !members.isEmpty { buffer.writeStaticString(",") }
            buffer.writeJSONString(member.name)
            buffer.writeStaticString(":")
            member.value.write(to: &buffer)
        }
        buffer.writeStaticString("}")
        return JSONText(trusting: buffer)
    }
}
