import BridgeCore
import Foundation
import Glibc
import NIOCore
import Testing

@testable import BridgeUpstream

extension LiveTests {
    @Suite("The last words of a worker") struct LastWordsTests {
        @Test func `all answers reach a session worker that was slow to read them`() async throws {
            try await WorkerBench.run { bench in
                await bench.phase("ready")
                let calls = 40
                let peer = try SlowPeer(path: bench.folder.appending(path: "s").path)
                let filler = String(repeating: "x", count: 200_000)
                for n in 0..<calls { await offload { peer.call("echo", #"{"x":"\#(filler)"}"#, number: n) } }
                for _ in 0..<calls { _ = await bench.log.next { $0.metadata["mcp.outcome"] == "result" } }
                async let stopped: Void = bench.worker.stop(within: .zero)
                _ = await bench.statuses.next { $0.string("phase") == "stopped" }
                let heard = await offload { peer.readToEnd() }
                #expect(heard.count { $0.contains(#""result""#) && $0.contains("xxx") } == calls)
                await stopped
            }
        }

        @Test func `a session worker that reads nothing does not keep it for long`() async throws {
            try await WorkerBench.run { bench in
                await bench.phase("ready")
                let peer = try SlowPeer(path: bench.folder.appending(path: "s").path)
                let filler = String(repeating: "x", count: 200_000)
                for n in 0..<10 { await offload { peer.call("echo", #"{"x":"\#(filler)"}"#, number: n) } }
                for _ in 0..<10 { _ = await bench.log.next { $0.metadata["mcp.outcome"] == "result" } }
                await bench.worker.stop(within: .zero)
                peer.close()
            }
        }

        @Test func `a large answer that comes while it stops leaves too`() async throws {
            try await WorkerBench.run { bench in
                await bench.phase("ready")
                let slow = await bench.call("slow", #"{"size":3000000}"#, token: "1")
                _ = await slow.message()
                async let stopped: Void = bench.worker.stop(within: .seconds(20))
                #expect(await slow.text()?.utf8.count == 3_000_006)
                await stopped
            }
        }
    }
}

/// A session worker that reads when it is told to. Its calls block.
private struct SlowPeer: Sendable {
    private let descriptor: Int32

    init(path: String) throws {
        self.descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(result == 0)
        self.write(#"{"k":"hello","x":0,"h":{"link":"slow","bulk":false}}"#)
    }

    func call(_ tool: String, _ arguments: String, number: Int) {
        let request =
            #"{"jsonrpc":"2.0","id":\#(number),"method":"tools/call","params":{"name":"\#(tool)","arguments":\#(arguments)}}"#
        self.write(#"{"k":"open","x":\#(2 * number + 1),"h":{"op":"call","tmo":20000},"m":\#(request)}"#)
    }

    private func write(_ frame: String) {
        let bytes = Array(frame.utf8)
        var rest = (withUnsafeBytes(of: UInt32(bytes.count).bigEndian, Array.init) + bytes)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// The whole frames that come until the other side hangs up.
    func readToEnd() -> [String] {
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = recv(self.descriptor, &room, room.count, 0), count > 0 { bytes += room.prefix(count) }
        self.close()
        var frames: [String] = []
        var rest = bytes[...]
        while rest.count >= 4 {
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            guard rest.count >= 4 + length else { break }
            frames.append(String(decoding: rest.dropFirst(4).prefix(length), as: UTF8.self))
            rest = rest.dropFirst(4 + length)
        }
        return frames
    }

    func close() { Glibc.close(self.descriptor) }
}

/// Runs what blocks on a thread of its own.
private func offload<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread { continuation.resume(returning: body()) }
    }
}
