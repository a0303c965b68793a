import BridgeCore

extension JSONText {
    /// The first elements of an array, in their order, and how many there are. Each takes some 40 bytes, and two in the text.
    func elementTexts(atMost limit: Int) -> (texts: [JSONText], count: Int) {
        var texts: [JSONText] = []
        var count = 0
        self.elements { span in
            count += 1
            if count <= limit { texts.append(self[span]) }
        }
        return (texts, count)
    }

    /// The first elements of an array that nobody makes long.
    var elementTexts: [JSONText] { self.elementTexts(atMost: 10_000).texts }
}
