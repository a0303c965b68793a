import NIOCore
import Testing

@testable import BridgeCore

@Suite("JSON limits") struct JSONLimitsTests {
    private func nested(_ depth: Int, _ open: String, _ close: String, inside: String = "1") -> ByteBuffer {
        ByteBuffer(string: String(repeating: open, count: depth) + inside + String(repeating: close, count: depth))
    }

    @Test(arguments: [("[", "]"), ("{\"a\":", "}"), (" [ ", " ] ")])
    func `128 levels are accepted and one more is refused`(open: String, close: String) throws {
        let json = try JSONText(validating: self.nested(128, open, close))
        #expect(json.count > 128)
        #expect(throws: JSONError.self) { try JSONText(validating: self.nested(129, open, close)) }
        let error = #expect(throws: JSONError.self) { try JSONText(validating: self.nested(5000, open, close)) }
        #expect(error?.code == .tooDeep)
    }

    @Test(arguments: [0, 1, 2, 63, 64, 65, 127, 129, 191, 192, 193, 1000])
    func `any depth may be chosen`(depth: Int) throws {
        let limits = JSONLimits(maximumDepth: depth)
        // Objects and arrays in an order that no shift of the stack by mistake would match.
        let kinds = (0...depth).map { ($0 * 7 + $0 / 5) % 3 == 0 }
        func text(_ levels: Int) -> ByteBuffer {
            let open = kinds.prefix(levels).map { $0 ? "{\"k\":" : "[" }.joined()
            let close = kinds.prefix(levels).reversed().map { $0 ? "}" : "]" }.joined()
            return ByteBuffer(string: open + "0" + close)
        }
        #expect(throws: Never.self) { try JSONText(validating: text(depth), limits: limits) }
        let error = #expect(throws: JSONError.self) { try JSONText(validating: text(depth + 1), limits: limits) }
        #expect(error?.code == .tooDeep)
    }

    @Test func `closing with the wrong bracket is noticed at every depth`() throws {
        for depth in 1...130 {
            let limits = JSONLimits(maximumDepth: 200)
            let open = (0..<depth).map { $0 % 2 == 0 ? "[" : "{\"k\":" }.joined()
            let close = (0..<depth).reversed().map { $0 % 2 == 0 ? "]" : "}" }
            #expect(throws: Never.self) {
                try JSONText(validating: ByteBuffer(string: open + "0" + close.joined()), limits: limits)
            }
            for wrong in [0, depth / 2, depth - 1] {
                var close = close
                close[wrong] = close[wrong] == "]" ? "}" : "]"
                let error = #expect(throws: JSONError.self) {
                    try JSONText(validating: ByteBuffer(string: open + "0" + close.joined()), limits: limits)
                }
                #expect(error?.code == .unexpectedByte)
            }
        }
    }

    @Test func `depth counts what is open, not what has been opened`() throws {
        let many = "[" + Array(repeating: "[[],{}]", count: 500).joined(separator: ",") + "]"
        #expect(throws: Never.self) {
            try JSONText(validating: ByteBuffer(string: many), limits: JSONLimits(maximumDepth: 3))
        }
    }

    @Test func `the size limit is exact and counts white space`() throws {
        let limits = JSONLimits(maximumBytes: 10)
        #expect(throws: Never.self) { try JSONText(validating: ByteBuffer(string: "\"12345678\""), limits: limits) }
        for tooLong in ["\"123456789\"", "[1]        "] {
            #expect(throws: JSONError(.tooLarge, at: 10)) {
                try JSONText(validating: ByteBuffer(string: tooLong), limits: limits)
            }
        }
    }

    @Test func `the standard limits are 128 levels and 64 MiB`() {
        #expect(JSONLimits.standard.maximumDepth == 128)
        #expect(JSONLimits.standard.maximumBytes == 67_108_864)
    }
}
