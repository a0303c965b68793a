/// How one kind of setting is written in a file, and shown.
struct SettingKind<Value: Sendable>: Sendable {
    /// For the table: what may be written.
    let words: String
    /// `nil` after having reported what is wrong.
    let read: @Sendable (ConfigurationNode, LoadingContext, inout ConfigurationReport) -> Value?
    let show: @Sendable (Value) -> ConfigurationValue

    init(
        _ words: String,
        read: @escaping @Sendable (ConfigurationNode, LoadingContext, inout ConfigurationReport) -> Value?,
        show: @escaping @Sendable (Value) -> ConfigurationValue
    ) {
        self.words = words
        self.read = read
        self.show = show
    }

    /// The same kind where nothing at all may stand as well.
    var optional: SettingKind<Value?> {
        SettingKind<Value?>(self.words) { node, context, report in
            self.read(node, context, &report).map { .some($0) }
        } show: { value in
            value.map(self.show) ?? .null
        }
    }
}

extension SettingKind where Value == String {
    static let text = SettingKind("text") { node, _, report in
        node.nonEmptyString(&report)
    } show: {
        .string($0)
    }
}

extension SettingKind where Value == [String] {
    static let texts = SettingKind("[text]") { node, _, report in
        node.strings(&report)
    } show: {
        .strings($0)
    }
}

extension SettingKind where Value == Seconds {
    static let time = SettingKind("time above 0") { node, _, report in
        node.seconds(&report)
    } show: {
        .double($0.rawValue)
    }
    static let timeOrZero = SettingKind("time") { node, _, report in
        node.seconds(allowsZero: true, &report)
    } show: {
        .double($0.rawValue)
    }
}

extension SettingKind where Value == Int {
    static func number(_ range: ClosedRange<Int>) -> SettingKind {
        let words =
            range.upperBound == .max
            ? "number, \(range.lowerBound) or more" : "number, \(range.lowerBound) to \(range.upperBound)"
        return SettingKind(words) { node, _, report in
            node.int(in: range, &report)
        } show: {
            .int($0)
        }
    }

    static func size(atLeast minimum: Int) -> SettingKind {
        SettingKind("size") { node, _, report in
            node.byteCount(atLeast: minimum, &report)
        } show: {
            .int($0)
        }
    }
}

extension SettingKind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    static var word: SettingKind {
        SettingKind(Value.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")) { node, _, report in
            node.word(Value.self, &report)
        } show: {
            .string($0.rawValue)
        }
    }
}
