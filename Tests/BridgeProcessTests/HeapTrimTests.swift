import BridgeProcess
import Testing

@Suite("Giving memory back") struct HeapTrimTests {
    /// Faults by which so many bytes were touched.
    private func faults(_ octets: Int) -> Int { octets / 4_096 }

    @Test func `what is free at two looks in a row is given back, once`() {
        var trim = HeapTrim(threshold: 1 << 20)
        var verdicts: [Bool] = []
        for free in [1, 5, 1, 5, 6] { verdicts.append(trim.look(free: free << 19, faults: self.faults(8 << 20))) }
        #expect(verdicts == [false, false, false, false, true])
        trim.trimmed(faults: self.faults(8 << 20))
        verdicts = []
        for _ in 0..<4 { verdicts.append(trim.look(free: 6 << 19, faults: self.faults(8 << 20) + 255)) }
        #expect(verdicts == [false, false, false, false], "what was given back still counts as free")
    }

    @Test func `what was given back and is used again is given back again`() {
        var trim = HeapTrim(threshold: 1 << 20)
        trim.trimmed(faults: 1_000)
        var verdicts: [Bool] = []
        for _ in 0..<3 { verdicts.append(trim.look(free: 5 << 20, faults: 1_256)) }
        #expect(verdicts == [false, true, true])
    }
}
