import BridgeCore
import BridgeLink
import BridgeLog
import BridgeProcess
import BridgeSupervisor
import NIOCore

/// A worker's answer to the supervisor's `memory`.
enum MemoryAnswer {
    /// Looks beside the event loop, and answers on it. Without figures where the kernel does not tell.
    static func give(to exchange: Exchange, _ processes: ProcessThread, _ logs: LogSystem, on loop: any EventLoop) {
        exchange.delegate = AnswerWaiter { _ in }
        let bound = NIOLoopBound(exchange, eventLoop: loop)
        processes.memory { use in
            loop.execute {
                bound.value.end(header: MemoryReport(use, droppedRecords: logs.droppedRecords).text)
            }
        }
    }
}
