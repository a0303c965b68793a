// NIO's HTTP/1.1 server on one event loop, with nothing behind it: each POST is answered with the same bytes. What it
// costs is what no server on NIO can be without.
//
//     BenchBareServer --port PORT
import NIOCore
import NIOHTTP1
import NIOPosix

guard CommandLine.arguments.count == 3, CommandLine.arguments[1] == "--port", let port = Int(CommandLine.arguments[2])
else { fatalError("usage: BenchBareServer --port PORT") }

let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
let server = ServerBootstrap(group: group)
    .serverChannelOption(.backlog, value: 4_096)
    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
    .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
    .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
            try channel.pipeline.syncOperations.addHandler(FixedAnswer())
        }
    }
try server.bind(host: "127.0.0.1", port: port).wait().closeFuture.wait()
