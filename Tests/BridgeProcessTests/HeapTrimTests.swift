import BridgeProcess
import Testing

@Suite("Giving memory back") struct HeapTrimTests {
    @Test func `what is free at two looks in a row is given back, once`() {
        var trim = HeapTrim(threshold: 100)
        var verdicts: [Bool] = []
        for free in [50, 500, 90, 500, 600] { verdicts.append(trim.look(free: free)) }
        #expect(verdicts == [false, false, false, false, true])
        trim.trimmed(free: 580)
        verdicts = []
        for free in [580, 640, 700, 700] { verdicts.append(trim.look(free: free)) }
        #expect(verdicts == [false, false, false, true])
    }

    @Test func `what was given back and is used again counts anew when it is free again`() {
        var trim = HeapTrim(threshold: 100)
        trim.trimmed(free: 500)
        var verdicts: [Bool] = []
        for free in [10, 500, 500] { verdicts.append(trim.look(free: free)) }
        #expect(verdicts == [false, false, true])
    }
}
