// Calls the echo server over Streamable HTTP by async-http-client on one event loop, and does nothing else: what no bridge
// that speaks to such a server on that library can be without.
//
//     BenchBareCaller PORT CONNECTIONS REQUESTS      prints calls a second, and CPU per call in µs, as JSON
import AsyncHTTPClient
import Dispatch
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
guard numbers.count == 3 else { fatalError("usage: BenchBareCaller PORT CONNECTIONS REQUESTS") }
let (port, connections, requests) = (numbers[0], numbers[1], numbers[2])

let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
let loop = group.next()
var configuration = HTTPClient.Configuration()
configuration.httpVersion = .http1Only
configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1_024
let client = HTTPClient(eventLoopGroupProvider: .shared(loop), configuration: configuration)

@Sendable func post(_ body: String, session: String?) throws -> EventLoopFuture<HTTPClient.Response> {
    var headers: HTTPHeaders = [
        "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2025-11-25",
    ]
    if let session { headers.add(name: "Mcp-Session-Id", value: session) }
    let request = try HTTPClient.Request(
        url: "http://127.0.0.1:\(port)/mcp", method: .POST, headers: headers, body: .string(body))
    return client.execute(request: request, eventLoop: .delegate(on: loop), deadline: nil)
}

let hello =
    #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"#
    + #""clientInfo":{"name":"bench","version":"1"}}}"#
let session = try post(hello, session: nil).wait().headers.first(name: "Mcp-Session-Id")
let text = String(repeating: "x", count: 100)

/// One after the other, so many.
@Sendable func run(_ count: Int) -> EventLoopFuture<Void> {
    guard count > 0 else { return loop.makeSucceededVoidFuture() }
    let call =
        #"{"jsonrpc":"2.0","id":\#(count),"method":"tools/call","params":{"name":"echo","arguments":{"text":"\#(text)"}}}"#
    do {
        return try post(call, session: session).flatMap { response in
            guard response.status == .ok, (response.body?.readableBytes ?? 0) > 100 else {
                fatalError("a call was answered with \(response.status)")
            }
            return run(count - 1)
        }
    } catch {
        return loop.makeFailedFuture(error)
    }
}

/// User and system time of this process, in µs.
func cpu() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let seconds = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
    return seconds * 1_000_000 + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
}

func runAll(_ each: Int) throws {
    try EventLoopFuture.andAllSucceed((0..<connections).map { _ in loop.flatSubmit { run(each) } }, on: loop).wait()
}

let each = max(1, requests / connections)
try runAll(max(1, each / 10))
let (before, began) = (cpu(), DispatchTime.now().uptimeNanoseconds)
try runAll(each)
let calls = Double(each * connections)
let seconds = Double(DispatchTime.now().uptimeNanoseconds - began) / 1_000_000_000
print(#"{"rate": \#(calls / seconds), "cpu": \#((cpu() - before) / calls)}"#)
try client.syncShutdown()
