import BridgeCore
import BridgeMCP

/// Reads one server entry.
struct ServerEntryReader {
    let context: LoadingContext
    let settings: BridgeSettings
    /// The configuration file's folder; `nil` where relative paths are nobody's (`POST /servers`).
    let directory: String?
    /// Unknown keys are ignored without a word.
    let isLenient: Bool
    var report: ConfigurationReport
    /// Whether the entry at hand is in use; a problem of one that is not is only a warning.
    var isEnabled = true

    /// The folder of the project whose server the entry at hand is; see ``ServersReader/read(_:ofProject:leavingOut:)``.
    var folder: String?

    /// `nil` after having reported at least one error.
    mutating func entry(_ name: String, _ node: ConfigurationNode, folder: String? = nil) -> UpstreamEntry? {
        let errorsBefore = self.errorCount
        self.isEnabled = true
        self.folder = folder
        guard var object = ObjectReader(node, report: &self.report) else { return nil }
        self.isEnabled = self.enabled(&object)
        guard let target = self.target(&object, at: node) else { return nil }
        var entry = UpstreamEntry(name: name, target: target)
        entry.isEnabled = self.isEnabled
        self.readNaming(&object, into: &entry)
        self.readTimes(&object, into: &entry)
        self.readSharing(&object, into: &entry)
        if let node = object.take("oauth") { self.readOAuth(node, of: target, into: &entry) }
        entry.roots = object.take("roots").map { self.roots($0) } ?? []
        entry.limits = object.take("limits").map { self.limits($0) } ?? ResourceLimits()
        if let node = object.take("retry"), let retry = node.word(RetryPolicy.self, &self.report) {
            entry.retry = retry
        }
        object.finish(
            known: ServerKeyTable.known, foreign: ServerKeyTable.foreign, lenient: self.isLenient, report: &self.report
        )
        guard self.errorCount == errorsBefore else { return nil }
        if case .stdio(let program) = target { self.lookForObstacles(to: program, at: node, &object) }
        return entry
    }

    private var errorCount: Int { self.report.diagnostics.count { $0.severity == .error } }

    private mutating func enabled(_ object: inout ObjectReader) -> Bool {
        let disabled = object.take("disabled")
        let isDisabled = disabled?.bool(&self.report)
        let isEnabled = object.take("enabled")?.bool(&self.report)
        if let disabled, let isDisabled, let isEnabled, isDisabled == isEnabled {
            self.report.error(disabled, "contradicts 'enabled'.", remedy: "Remove one of the two.")
        }
        return isEnabled ?? !(isDisabled ?? false)
    }

    private mutating func readNaming(_ object: inout ObjectReader, into entry: inout UpstreamEntry) {
        if let node = object.take("prefix"), let prefix = node.string(&self.report) {
            entry.prefix = prefix
            if !prefix.isEmpty, ServerName.complaint(about: prefix) != nil {
                self.report.error(
                    node, "must be a plain text of at most \(ServerName.maximumLength) characters, or \"\".")
            }
        }
        for (key, path) in [
            ("tools", \UpstreamEntry.tools), ("prompts", \UpstreamEntry.prompts),
            ("resources", \UpstreamEntry.resources),
        ] {
            if let node = object.take(key) { entry[keyPath: path] = self.filter(node) }
        }
        // What somebody has switched off in another program stays off.
        for key in ["disabledTools", "excludeTools"] {
            entry.tools.deny += object.take(key)?.strings(&self.report) ?? []
        }
        if let names = object.take("includeTools")?.strings(&self.report), !names.isEmpty, entry.tools.allow == nil {
            entry.tools.allow = names
        }
    }

    private mutating func readTimes(_ object: inout ObjectReader, into entry: inout UpstreamEntry) {
        entry.timeouts = self.settings.timeouts
        // Zed has it beside the path of a program.
        let nested = object.take("command")?.members.first { $0.key == "timeout" }?.value
        if let node = object.take("timeout") ?? nested, let timeout = self.clientTimeout(node) {
            entry.timeouts.call = timeout
        }
        if let node = object.take("timeouts") { self.readTimeouts(node, into: &entry.timeouts) }
        if let node = object.take("start"), let start = node.word(StartPolicy.self, &self.report) {
            entry.start = start
        }
        entry.idleStop = object.take("idleStop")?.seconds(&self.report)
    }

    private mutating func readSharing(_ object: inout ObjectReader, into entry: inout UpstreamEntry) {
        if let node = object.take("share"), let share = node.word(SharePolicy.self, &self.report) {
            entry.share = share
        }
        if let node = object.take("lanes"), let lanes = node.int(in: 1...1_024, &self.report) {
            entry.lanes = lanes
        }
        if let node = object.take("asks"), let asks = node.bool(&self.report) {
            entry.asks = asks
        }
    }
}
