/// Collects diagnostics about one text, turning byte offsets into places.
struct ConfigurationReport {
    private(set) var diagnostics: [ConfigurationDiagnostic] = []
    private let file: String?
    private let bytes: [UInt8]
    /// The last place that was counted.
    private var last = (offset: 0, place: SourcePosition(line: 1, column: 1))
    /// The server whose entry is being read; an error is its own.
    var server: String?
    /// Whether ignored keys are nobody's business: those of an editor's settings.
    var isSilentAboutIgnored = false
    private var ignoredKeys: Set<String> = []

    /// `file` may be `nil` for texts that are not files; then there are no places.
    init(file: String?, bytes: [UInt8]) {
        self.file = file
        self.bytes = bytes
    }

    /// In the order of their places.
    var sorted: [ConfigurationDiagnostic] {
        self.diagnostics.enumerated().sorted { first, second in
            (first.element.line ?? 0, first.element.column ?? 0, first.offset)
                < (second.element.line ?? 0, second.element.column ?? 0, second.offset)
        }.map(\.element)
    }

    /// Counted on from the last place: most complaints come in the order of the file.
    private mutating func place(of offset: Int) -> SourcePosition {
        let mark = self.bytes.starts(with: JSONC.byteOrderMark) ? JSONC.byteOrderMark.count : 0
        let offset = min(max(offset, mark), self.bytes.count)
        if self.last.offset < mark || offset < self.last.offset {
            self.last = (mark, SourcePosition(line: 1, column: 1))
        }
        self.last.place.advance(over: self.bytes[self.last.offset..<offset])
        self.last.offset = offset
        return self.last.place
    }

    var hasErrors: Bool { self.diagnostics.contains { $0.severity == .error } }

    mutating func add(
        _ severity: ConfigurationDiagnostic.Severity,
        at offset: Int,
        _ keyPath: String,
        _ message: String,
        remedy: String? = nil,
        reach: ConfigurationDiagnostic.Reach? = nil
    ) {
        self.diagnostics.append(
            ConfigurationDiagnostic(
                severity,
                reach: reach ?? self.server.map { .entry($0) } ?? .service,
                file: self.file,
                position: self.file == nil ? nil : self.place(of: offset),
                keyPath: keyPath,
                message: message,
                remedy: remedy
            )
        )
    }

    /// The errors of entries, by server.
    var troubles: [String: [ConfigurationDiagnostic]] {
        let errors = self.diagnostics.filter { $0.severity == .error && $0.reach.server != nil }
        return Dictionary(grouping: errors) { $0.reach.server ?? "" }
    }

    mutating func error(_ node: ConfigurationNode, _ message: String, remedy: String? = nil) {
        self.add(.error, at: node.offset, node.path, message, remedy: remedy)
    }

    mutating func warning(_ node: ConfigurationNode, _ message: String, remedy: String? = nil) {
        self.add(.warning, at: node.offset, node.path, message, remedy: remedy)
    }

    /// Warns that a key is ignored, once for each kind of key however many servers carry it.
    mutating func ignored(_ key: String, at offset: Int, _ keyPath: String, _ message: String, remedy: String? = nil) {
        guard !self.isSilentAboutIgnored, self.ignoredKeys.insert(key).inserted else { return }
        self.add(.warning, at: offset, keyPath, message, remedy: remedy)
    }
}
