import BridgeCore

extension JSONText {
    /// Whether an object may be valid by this JSON schema, as far as the types in it tell. What it refers to is not looked at.
    ///
    /// - Parameter levels: how many further schemas inside one another are looked at; what is deeper may be anything.
    func mayTakeObjects(levels: Int = 4) -> Bool {
        if let isAnything = self.bool { return isAnything }
        guard self.kind == .object, levels > 0 else { return true }
        var may = true
        self.members { key, span in
            guard may else { return }
            let value = self[span]
            switch key {
            case "type": may = value.isNull || value.string == "object" || value.holds { $0.string == "object" }
            case "const": may = value.kind == .object
            case "enum": may = value.kind != .array || value.holds { $0.kind == .object }
            case "anyOf", "oneOf":
                may = value.kind != .array || value.holds { $0.mayTakeObjects(levels: levels - 1) }
            case "allOf":
                may = value.kind != .array || !value.holds { !$0.mayTakeObjects(levels: levels - 1) }
            default: break
            }
        }
        return may
    }

    /// Whether it is an array with an element of that kind.
    private func holds(_ isMeant: (JSONText) -> Bool) -> Bool {
        guard self.kind == .array else { return false }
        var isFound = false
        self.elements { span in if !isFound { isFound = isMeant(self[span]) } }
        return isFound
    }
}
