import BridgeConfiguration
import BridgeCore
import BridgeFiles
import Foundation
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import BridgeSupervisor

@Suite("Configuration book") struct ConfigurationBookTests {
    /// The names of the file's servers and the configuration are of the same bytes only if these are read once.
    @Test func `the file is read once at the start and once for each reload`() async throws {
        let folder = NSTemporaryDirectory() + "book-\(UUID().uuidString.prefix(8))"
        try PrivateFile.makeDirectory(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/config.json"
        let text = #"{"mcpServers":{"a":{"command":"/bin/true"}}}"#
        try PrivateFile.replace(path, with: text.utf8)
        let opened = try Opened(path)
        let book = try ConfigurationBook(of: path, in: folder)
        #expect(opened.count() == 1)
        #expect(book.deployment().upstreams.map(\.configuration.name) == ["a"])
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let box = NIOLoopBoundBox.makeBoxSendingValue(book, eventLoop: loop)
        let names = try await loop.flatSubmit { () -> EventLoopFuture<[String]> in
            let promise = loop.makePromise(of: [String].self)
            box.value.reload(on: loop) { result in
                promise.completeWith(result.map { $0.upstreams.map(\.configuration.name) }.mapError { $0 as any Error })
            }
            return promise.futureResult
        }.get()
        #expect(names == ["a"])
        #expect(opened.count() == 1)
        // It knows that the name is the file's: what is taken away then must be remembered as such.
        let isEmpty = try await loop.submit { try box.value.removing("a").upstreams.isEmpty }.get()
        #expect(isEmpty)
    }

    /// Counts how often a file is opened.
    private final class Opened {
        private let descriptor: Int32

        init(_ path: String) throws {
            self.descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
            try #require(inotify_add_watch(self.descriptor, path, UInt32(IN_OPEN | IN_CLOSE)) >= 0)
        }

        deinit { close(self.descriptor) }

        /// Since it was last asked. Each event of a watched file is 16 bytes. An event like the one before it is left out,
        /// so that only opening and closing in turns can be counted.
        func count() -> Int {
            var room = [UInt8](repeating: 0, count: 4_096)
            return max(0, read(self.descriptor, &room, room.count)) / 16 / 2
        }
    }
}
