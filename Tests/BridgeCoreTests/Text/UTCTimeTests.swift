import BridgeCore
import Foundation
import Testing

@Suite("Points in time") struct UTCTimeTests {
    @Test(arguments: [
        (UTCTime(seconds: 0), "1970-01-01T00:00:00.000Z"),
        (UTCTime(seconds: 1_785_229_503, nanoseconds: 7_999_999), "2026-07-28T09:05:03.007Z"),
        (UTCTime(seconds: 951_782_399, nanoseconds: 999_999_999), "2000-02-28T23:59:59.999Z"),
        (UTCTime(seconds: 951_782_400), "2000-02-29T00:00:00.000Z"),
        (UTCTime(seconds: -1), "1969-12-31T23:59:59.000Z"),
    ])
    func `are written as JavaScript writes them`(time: UTCTime, text: String) {
        #expect(time.description == text)
    }

    @Test(arguments: [
        (nil, "2026-07-28T09:05:03Z"), (0, "2026-07-28T09:05:03+00:00"), (7_200, "2026-07-28T11:05:03+02:00"),
        (-34_200, "2026-07-27T23:35:03-09:30"),
    ])
    func `are written for other places`(offset: Int?, text: String) {
        #expect(UTCTime(seconds: 1_785_229_503).text(offset: offset) == text)
    }

    @Test func `are the calendar's own, over many centuries`() {
        let style = Date.ISO8601FormatStyle()
        // Days of every length of month and of every kind of year; from 1600, since older calendars differ.
        for seconds in stride(from: -11_676_096_000, to: 40_000_000_000, by: 8_123_457) {
            let date = Date(timeIntervalSince1970: Double(seconds))
            #expect(UTCTime(seconds: seconds).text() == date.formatted(style))
        }
    }
}
