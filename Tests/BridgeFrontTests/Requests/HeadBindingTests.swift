import BridgeConfiguration
import BridgeCore
import NIOHTTP1
import Testing

@testable import BridgeFront

@Suite("Head bindings") struct HeadBindingTests {
    private static let known = [
        ("Host", "localhost"), ("Accept", "*/*"), ("Content-Type", "application/json"), ("Content-Length", "10"),
        ("Mcp-Session-Id", "s"), ("X-Note", "\u{2126}a"), ("Mcp-Name", "a"), ("traceparent", "1"),
    ]

    private static func head(_ fields: [(String, String)], _ method: HTTPMethod = .POST, _ target: String = "/mcp")
        -> HTTPRequestHead
    {
        HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: HTTPHeaders(fields))
    }

    private static func binding(_ fields: [(String, String)] = Self.known) -> HeadBinding {
        let head = Self.head(fields)
        let configuration = FrontConfiguration(sessionSocket: "", version: "0", serviceUID: 1)
        let verdict = HeadVerdict(
            head, RequestFields(head.headers), .mcp, .post, door: FrontDoor(configuration),
            caller: Caller(.tcp(remote: IPAddress("127.0.0.1"), local: IPAddress("127.0.0.1"))), bodyLimit: 100
        )
        return HeadBinding(head, verdict, epoch: 1)
    }

    private static func holds(_ change: (inout [(String, String)]) -> Void, epoch: Int = 1) -> HeadBinding.Match? {
        var fields = Self.known
        change(&fields)
        return Self.binding().match(Self.head(fields), epoch: epoch, bodyLimit: 100)
    }

    @Test func `it is that of an admitted call`() {
        #expect(Self.binding().verdict.refusal == nil)
        #expect(Self.binding().verdict.principal == "local")
        #expect(Self.binding().verdict.request(.post, id: nil).sessionID == "s")
    }

    @Test func `who asks gets a number when a second request comes, and only in a session`() {
        let numbers = BindingNumbers()
        let binding = Self.binding()
        #expect(binding.caller == nil)
        binding.isUsed(numbers)
        let caller = binding.caller
        binding.isUsed(numbers)
        #expect(caller != nil && binding.caller === caller)
        let other = Self.binding(Self.known.filter { $0.0 != "Mcp-Session-Id" })
        other.isUsed(numbers)
        #expect(other.caller == nil)
    }

    @Test func `the same head holds, whatever its length and what is said of one request`() {
        #expect(Self.holds { _ in }?.contentLength == 10)
        #expect(Self.holds { $0[3].1 = "42" }?.contentLength == 42)
        #expect(Self.holds { $0[6].1 = "b" } != nil)
        #expect(Self.holds { $0[7].1 = "2" } != nil)
    }

    @Test func `a body that is too long is looked at anew`() {
        #expect(Self.holds { $0[3].1 = "101" } == nil)
        #expect(Self.holds { $0[3].1 = "" } == nil)
    }

    @Test(arguments: [0, 1, 2, 4, 5])
    func `any other value does not hold`(index: Int) {
        #expect(Self.holds { $0[index].1 += "x" } == nil)
        #expect(Self.holds { $0[index].1 = "" } == nil)
    }

    @Test func `what only looks the same does not hold`() {
        #expect(Self.holds { $0[5].1 = "\u{03A9}a" } == nil)
    }

    @Test func `nor does another name, order or number of fields, target, method or configuration`() {
        #expect(Self.holds { $0[1].0 = "accept" } == nil)
        #expect(Self.holds { $0.swapAt(1, 2) } == nil)
        #expect(Self.holds { $0.append(("Via", "x")) } == nil)
        #expect(Self.holds { $0.removeLast() } == nil)
        #expect(Self.holds({ _ in }, epoch: 2) == nil)
        let target = Self.head(Self.known, .POST, "/mcp?names=safe")
        #expect(Self.binding().match(target, epoch: 1, bodyLimit: 100) == nil)
        #expect(Self.binding().match(Self.head(Self.known, .GET), epoch: 1, bodyLimit: 100) == nil)
    }

    @Test(arguments: [
        "Last-Event-ID", "Mcp-Method", "MCP-NAME", "Mcp-Param-Region", "mcp-param-ab", "traceparent", "tracestate",
        "baggage", "X-Request-Id",
    ])
    func `these say something about one request`(name: String) { #expect(HeadBinding.isOfOneRequest(name)) }

    @Test(arguments: ["Origin", "Mcp-Session-Id", "Authorization", "X-Forwarded-For", "Accept", "Expect", "Mcp-Para"])
    func `these do not`(name: String) { #expect(!HeadBinding.isOfOneRequest(name)) }
}
