/// Reads the object under `bridge`.
struct SettingsReader {
    let context: LoadingContext
    private(set) var settings = BridgeSettings()
    /// Where each setting that was written stands, for diagnostics that come later.
    private(set) var places: [String: ConfigurationNode] = [:]

    init(context: LoadingContext) {
        self.context = context
    }

    mutating func read(_ node: ConfigurationNode, report: inout ConfigurationReport) {
        self.read(node, prefix: "", report: &report)
    }

    private mutating func read(_ node: ConfigurationNode, prefix: String, report: inout ConfigurationReport) {
        guard var object = ObjectReader(node, report: &report) else { return }
        var known: [String] = []
        for setting in SettingTable.all where setting.key.hasPrefix(prefix) {
            let rest = setting.key.dropFirst(prefix.count)
            let key = String(rest.prefix { $0 != "." })
            if known.last != key { known.append(key) }
            guard key.count == rest.count, let value = object.take(key) else { continue }
            self.places[setting.key] = value
            setting.apply(value, self.context, &self.settings, &report)
        }
        // What is left and nested: `log`, `limits`, and so on.
        for group in Set(known) where SettingTable.all.contains(where: { $0.key.hasPrefix("\(prefix)\(group).") }) {
            guard let value = object.take(group) else { continue }
            self.read(value, prefix: "\(prefix)\(group).", report: &report)
        }
        object.finish(known: known, lenient: false, report: &report)
    }
}
