import BridgeMCP
import Testing

@Suite struct DeparturesTests {
    private static let topic = ResourceTopic(server: "s", uri: "a:1")
    private static let other = ResourceTopic(server: "s", uri: "a:2")

    @Test func `what waits goes on when the last answer has come, in its order`() {
        var departures = Departures<Int>()
        departures.begin(Self.topic)
        departures.begin(Self.topic)
        departures.wait(1, for: Self.topic)
        departures.wait(2, for: Self.topic)
        #expect(departures.ended(Self.topic).isEmpty)
        #expect(departures.ended(Self.topic) == [1, 2])
        #expect(departures.first(of: [Self.topic]) == nil)
        #expect(departures.ended(Self.topic).isEmpty)
    }

    @Test func `only what is being left is waited for`() {
        var departures = Departures<Int>()
        departures.begin(Self.other)
        #expect(departures.first(of: [Self.topic, Self.other]) == Self.other)
        #expect(departures.first(of: [Self.topic]) == nil)
    }

    @Test func `what is taken out does not go on`() {
        var departures = Departures<Int>()
        for topic in [Self.topic, Self.other] {
            departures.begin(topic)
            departures.wait(1, for: topic)
            departures.wait(2, for: topic)
        }
        #expect(departures.holds { $0 == 1 })
        #expect(departures.takeOut { $0 == 1 } == [1, 1])
        #expect(!departures.holds { $0 == 1 })
        #expect(departures.ended(Self.topic) == [2])
    }
}
