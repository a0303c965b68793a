import Testing

@testable import BridgeProcess

@Suite("Memory of a process", .timeLimit(.minutes(1))) struct MemoryUseTests {
    private static let text = """
        55d0c8a00000-7ffd5a7e6000 ---p 00000000 00:00 0                          [rollup]
        Rss:                5220 kB
        Pss:                1712 kB
        Pss_Dirty:           460 kB
        Pss_Anon:            412 kB
        Pss_File:           1300 kB
        """

    @Test func `the proportional size and its anonymous part are read, in bytes`() {
        #expect(MemoryUse(parsing: Self.text) == MemoryUse(proportional: 1_753_088, anonymous: 421_888))
    }

    @Test func `an older kernel tells no anonymous part`() {
        #expect(MemoryUse(parsing: "Rss: 1 kB\nPss: 2 kB\n") == MemoryUse(proportional: 2_048, anonymous: 0))
    }

    @Test(arguments: ["", "Pss:", "Pss: x kB", "Pss: 9223372036854775807 kB", "Pss_Anon: 1 kB"])
    func `something else is not taken for it`(text: String) { #expect(MemoryUse(parsing: text) == nil) }

    @Test func `a process can look at itself`() async throws {
        let processes = try TestProcesses.shared()
        let use = await withCheckedContinuation { continuation in
            processes.memory { continuation.resume(returning: $0) }
        }
        let found = try #require(use)
        #expect(found.proportional > 1 << 20)
        #expect(found.anonymous > 0 && found.anonymous <= found.proportional)
    }
}
