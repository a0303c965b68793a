import Testing

@testable import BridgeUpstream

@Suite("Recent names") struct RecentNamesTests {
    @Test func `each is new once, as long as it is among the last`() {
        var names = RecentNames()
        let first = [names.insert("a"), names.insert("a")]
        #expect(first == [true, false])
        let further = (0..<RecentNames.maximum).map { names.insert("\($0)") }
        #expect(further.allSatisfy { $0 })
        let isNewAgain = names.insert("a")
        #expect(isNewAgain)
    }
}
