import BridgeConfiguration
import BridgeCore
import BridgeFiles
import BridgeProcess
import BridgeSystemd
import Foundation
import Glibc
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import BridgeSupervisor

@Suite("Early reloads", .timeLimit(.minutes(1))) struct EarlyReloadTests {
    /// In a process of its own: the supervisor has a process thread.
    @Test func `a reload before the service is ready does not say that it is`() async {
        await #expect(processExitsWith: .success) {
            let folder = NSTemporaryDirectory() + "early-\(UUID().uuidString.prefix(8))"
            try PrivateFile.makeDirectory(folder)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let path = folder + "/config.json"
            let good = #"{"mcpServers":{}}"#
            try PrivateFile.replace(path, with: good.utf8)
            let book = try ConfigurationBook(of: path, in: folder)
            let manager = try NotifyReceiver(path: folder + "/manager")
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let surroundings = Supervisor.Environment(
                processes: try ProcessThread.start(logger: logger), notifier: ServiceNotifier(socket: manager.path),
                watchdog: nil, runtimeDirectory: folder, workerEnvironment: [:],
                sockets: PublicSockets(front: [], control: nil, bound: [], paths: []), version: "1",
                setLogLevel: { _ in }, droppedRecords: { 0 }
            )
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            let box = NIOLoopBoundBox.makeBoxSendingValue(book, eventLoop: loop)
            let supervisor = try await loop.submit {
                let supervisor = try Supervisor(
                    environment: surroundings, deployment: box.value.deployment(), source: box.value, loop: loop,
                    logger: logger, onFinished: { _ in }
                )
                return NIOLoopBound(supervisor, eventLoop: loop)
            }.get()
            for text in [good, "{"] {
                try PrivateFile.replace(path, with: text.utf8)
                let isTaken = try await loop.flatSubmit { () -> EventLoopFuture<Bool> in
                    let promise = loop.makePromise(of: Bool.self)
                    supervisor.value.reload { result in
                        if case .success = result { promise.succeed(true) } else { promise.succeed(false) }
                    }
                    return promise.futureResult
                }.get()
                #expect(isTaken == (text == good))
            }
            #expect(manager.receive().isEmpty)
        }
    }
}
