import Testing

@testable import BridgeFront

@Suite("HTTP date") struct HTTPDateTests {
    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (1_709_210_096, "Thu, 29 Feb 2024 12:34:56 GMT"),
    ])
    func `a date has its fixed form`(time: Int, expected: String) {
        #expect(HTTPDate.format(time) == expected)
    }
}
