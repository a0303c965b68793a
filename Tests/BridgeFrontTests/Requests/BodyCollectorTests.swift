import NIOCore
import Testing

@testable import BridgeFront

@Suite("Body collector") struct BodyCollectorTests {
    private static func part(_ octets: Int, _ letter: Character = "x") -> ByteBuffer {
        ByteBuffer(string: String(repeating: letter, count: octets))
    }

    @Test func `a body in one piece is that piece`() {
        var body = BodyCollector(expected: 3, limit: 10)
        #expect(body.take(ByteBuffer(string: "abc")) == .taken)
        #expect(body.finish().bytes == ByteBuffer(string: "abc"))
    }

    @Test(arguments: [nil, 6] as [Int?])
    func `pieces are put together`(expected: Int?) {
        var body = BodyCollector(expected: expected, limit: 10)
        for piece in ["ab", "c", "def"] { #expect(body.take(ByteBuffer(string: piece)) == .taken) }
        #expect(body.finish().bytes == ByteBuffer(string: "abcdef"))
    }

    @Test func `more than the limit is too long`() {
        var body = BodyCollector(expected: nil, limit: 4)
        #expect(body.take(Self.part(4)) == .taken)
        #expect(body.take(Self.part(1)) == .tooLong)
    }

    @Test func `room is asked for at once where the length is known`() {
        var body = BodyCollector(expected: 100_000, limit: 1 << 20)
        #expect(body.take(Self.part(10_000)) == .taken)
        #expect(body.take(Self.part(10_000)) == .needsRoom(100_000))
    }

    @Test func `and for twice as much as there is where it is not`() {
        var body = BodyCollector(expected: nil, limit: 50_000)
        #expect(body.take(Self.part(20_000)) == .needsRoom(40_000))
        #expect(body.take(Self.part(10_000)) == .needsRoom(50_000))
        #expect(body.take(Self.part(30_000)) == .tooLong)
    }

    @Test func `no body is an empty one`() {
        var body = BodyCollector(expected: nil, limit: 4)
        #expect(body.finish().bytes.readableBytes == 0)
    }
}
