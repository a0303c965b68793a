import Glibc
import Testing

@testable import BridgeSystemd

@Suite("Ancillary data")
struct ControlMessagesTests {
    private func parse(_ bytes: [UInt8]) -> ControlMessages {
        bytes.withUnsafeBytes { ControlMessages(parsing: $0) }
    }

    @Test func `descriptors are read as they were written`() {
        #expect(ControlMessages.passing([]).isEmpty)
        let buffer = ControlMessages.passing([5, 6, 7])
        #expect(buffer.count == 32)
        #expect(self.parse(buffer).descriptors == [5, 6, 7])
        #expect(self.parse(buffer).credentials == nil)
        #expect(self.parse(buffer + ControlMessages.passing([8])).descriptors == [5, 6, 7, 8])
    }

    @Test func `a header that promises more than there is ends the reading`() {
        let buffer = ControlMessages.passing([5, 6, 7])
        for count in 0..<28 { #expect(self.parse(Array(buffer.prefix(count))).descriptors.isEmpty) }
        var absurd = buffer
        for index in 0..<8 { absurd[index] = 0xFF }
        #expect(self.parse(absurd).descriptors.isEmpty)
        absurd.replaceSubrange(0..<8, with: [UInt8](repeating: 0, count: 8))
        #expect(self.parse(absurd).descriptors.isEmpty)
    }
}
