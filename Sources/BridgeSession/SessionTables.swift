package import BridgeCore
package import BridgeMCP

/// What the session worker goes by. One more method, kind of entry or fault is one more row here, and no more code.
package struct SessionTables: Sendable {
    /// What is listed and passed on, merged of all servers.
    package static let served: [Offering] = Offering.all

    /// The methods that sessions have and that are served.
    private let methods: MethodTable
    /// All that are known, those of other eras too.
    private let known: MethodTable
    let offerings: [Offering]
    /// Who answers what the bridge answers by itself, by method.
    var answers = BridgeMethods.all
    private let faults: [String: Fault]

    package static let standard = SessionTables()

    /// - Parameters:
    ///   - methods: those about an offering that is not served count as unknown.
    ///   - faults: those that an upstream's worker may answer with.
    package init(
        methods: MethodTable = .standard, offerings: [Offering] = Self.served, faults: [Fault] = FaultTable.all
    ) {
        self.known = methods
        self.methods = methods.filter { method in
            method.eras.contains(.handshake) && (method.offering.map(offerings.contains) ?? true)
        }
        self.offerings = offerings
        self.faults = Dictionary(faults.map { ($0.word, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The method that is served by this name; one that no table knows may be an extension's.
    func method(_ name: String) -> Method? {
        self.methods[name] ?? (self.known[name] == nil ? Method.foreign(name) : nil)
    }

    /// Whether an answer with this word says that nothing has run.
    func saysItDidNotRun(_ word: String) -> Bool { self.faults[word]?.effect == .didNotRun }

    /// The offering whose notification tells that the list of this one has changed.
    func announcer(of offering: Offering) -> Offering? {
        if offering.changed != nil { return offering }
        return self.offerings.first { $0.capability == offering.capability && $0.changed != nil }
    }
}
