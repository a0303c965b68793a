/// One setting under `bridge`: how it is written, what it is for, when a change takes effect.
package struct Setting: Sendable {
    /// With dots for nested objects: `log.level`.
    package let key: String
    /// What may be written.
    package let values: String
    package let meaning: String
    /// Whether a change takes effect only when the service is started anew.
    package let needsRestart: Bool

    let apply: @Sendable (ConfigurationNode, LoadingContext, inout BridgeSettings, inout ConfigurationReport) -> Void
    let value: @Sendable (BridgeSettings) -> ConfigurationValue
    let differs: @Sendable (BridgeSettings, BridgeSettings) -> Bool

    init<Value: Equatable & Sendable>(
        _ key: String,
        _ path: any WritableKeyPath<BridgeSettings, Value> & Sendable,
        _ kind: SettingKind<Value>,
        needsRestart: Bool = false,
        _ meaning: String
    ) {
        self.key = key
        self.values = kind.words
        self.meaning = meaning
        self.needsRestart = needsRestart
        self.apply = { node, context, settings, report in
            if let value = kind.read(node, context, &report) { settings[keyPath: path] = value }
        }
        self.value = { kind.show($0[keyPath: path]) }
        self.differs = { $0[keyPath: path] != $1[keyPath: path] }
    }
}
