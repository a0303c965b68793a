import NIOCore
import NIOHTTP1

/// A request as it is written to a server. Pure.
struct DirectRequest {
    let head: HTTPRequestHead
    let body: ByteBuffer?
    /// Whether the connection may be used again.
    let isKept: Bool

    /// - Throws: what cannot be written (RFC 9110, 5.1 and 5.5).
    init(_ request: HTTPRequest) throws(HTTPFailure) {
        var fields = request.headers
        for (name, value) in fields {
            guard !name.isEmpty, name.utf8.allSatisfy(Self.isOfName) else {
                throw HTTPFailure(.badRequest("'\(name.prefix(64))' is no name of a header"), mayHaveRun: false)
            }
            guard value.utf8.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }) else {
                throw HTTPFailure(.badRequest("the header \(name) has a control character"), mayHaveRun: false)
            }
        }
        // Whoever frames the body says how.
        fields.remove(name: "Content-Length")
        fields.remove(name: "Transfer-Encoding")
        if !fields.contains(name: "Host") { fields.add(name: "Host", value: request.address.hostField) }
        self.body = request.body.flatMap { $0.readableBytes > 0 ? $0 : nil }
        if let body {
            fields.add(name: "Content-Length", value: "\(body.readableBytes)")
        } else if ![.GET, .HEAD, .DELETE, .CONNECT, .TRACE].contains(request.method) {
            fields.add(name: "Content-Length", value: "0")
        }
        self.isKept = !fields["Connection"].contains { $0.lowercased().contains("close") }
        self.head = HTTPRequestHead(
            version: .http1_1, method: request.method, uri: request.address.target, headers: fields)
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
