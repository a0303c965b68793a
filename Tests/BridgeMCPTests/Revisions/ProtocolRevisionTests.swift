import Testing

@testable import BridgeCore
@testable import BridgeMCP

@Suite("Protocol revisions") struct ProtocolRevisionTests {
    @Test(arguments: ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
    func `answer to their own names`(name: String) throws {
        let revision = try #require(ProtocolRevision(name: name))
        #expect(revision.name == name)
        #expect(ProtocolRevision.negotiated(for: name) == revision)
    }

    @Test(arguments: ["", "2024-10-07", "2026-07-28", "2025-11-25 ", "2025-11-25\0", "DRAFT-2025-v2", "9999-99-99"])
    func `are not guessed: an unknown one is answered with the newest`(name: String) {
        #expect(ProtocolRevision(name: name) == nil)
        #expect(ProtocolRevision.negotiated(for: name) == .v2025_11_25)
    }

    @Test func `of servers include the draft that SDKs still list, and no other`() {
        #expect(ProtocolRevision(server: "2024-10-07") == .v2024_11_05)
        for revision in ProtocolRevision.allCases { #expect(ProtocolRevision(server: revision.name) == revision) }
        for name in ["", "2024-10-08", "2026-07-28", "DRAFT-2025-v2"] { #expect(ProtocolRevision(server: name) == nil) }
    }

    @Test func `are ordered by age`() {
        #expect(ProtocolRevision.allCases.sorted().map(\.name) == ProtocolRevision.allCases.map(\.name).sorted())
        #expect(ProtocolRevision.newest == ProtocolRevision.allCases.max())
    }

    @Test func `have batches until 2025-06-18 took them out`() {
        #expect(ProtocolRevision.allCases.filter(\.allowsBatches) == [.v2025_03_26])
    }

    @Test func `have events without data since 2025-11-25 only`() {
        #expect(ProtocolRevision.allCases.filter(\.allowsPrimingEvents) == [.v2025_11_25])
    }

    @Test func `keep the numbers that sealed session ids name them by`() {
        #expect(ProtocolRevision.allCases.map(\.rawValue) == [1, 2, 3, 4])
        #expect(ProtocolRevision(rawValue: 0) == nil)
        #expect(ProtocolRevision(rawValue: 5) == nil)
    }
}

@Suite("Log severities") struct LogSeverityTests {
    @Test func `are ordered from debug to emergency, as RFC 5424 has them`() {
        let names = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
        #expect(LogSeverity.allCases.map(\.rawValue) == names)
        for (index, severity) in LogSeverity.allCases.enumerated() {
            for (other, than) in LogSeverity.allCases.enumerated() { #expect((severity < than) == (index < other)) }
        }
    }

    @Test(arguments: ["", "trace", "Warning", "fatal"])
    func `are spelled as the protocol spells them`(name: String) {
        #expect(LogSeverity(rawValue: name) == nil)
    }
}
