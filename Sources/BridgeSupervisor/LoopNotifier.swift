import BridgeCore
package import BridgeSystemd
import Glibc
package import NIOCore

/// Tells the process above what this one is doing, from an event loop that must not wait.
///
/// What does not go because nobody reads is tried again until it goes: see ``NotificationOutbox``. Confined to the loop.
package final class LoopNotifier {
    /// A receiver that does not read will soon; one that is gone may never come back.
    private static let full = Backoff(base: .milliseconds(20), maximum: .milliseconds(500))
    private static let gone = Backoff(base: .milliseconds(500), maximum: .seconds(60))

    private let notifier: ServiceNotifier
    private let loop: any EventLoop
    private var outbox = NotificationOutbox()
    private var retry: Scheduled<Void>?
    private var full = LoopNotifier.full
    private var gone = LoopNotifier.gone

    package init(_ notifier: ServiceNotifier, on loop: any EventLoop) {
        self.notifier = notifier
        self.loop = loop
    }

    /// All in one datagram.
    package func send(_ messages: ServiceNotifier.Message...) { self.post([.messages(messages)]) }

    /// One after the other.
    package func post(_ notices: [ServiceNotifier.Notice]) {
        for notice in notices { self.outbox.add(notice) }
        self.flush()
    }

    /// Tries once more what still waits: the process ends, and nobody will later.
    package func sendLastWords() { self.flush() }

    private func flush() {
        while let notice = self.outbox.next {
            switch self.notifier.send(notice)?.obstacle {
            case .full: return self.tryAgain(in: self.full.failed(draw: .random(in: 0..<1)))
            case .gone: return self.tryAgain(in: self.gone.failed(draw: .random(in: 0..<1)))
            case .forGood, nil:
                self.outbox.removeNext()
                self.full.forgive()
                self.gone.forgive()
            }
        }
        self.retry?.cancel()
        self.retry = nil
    }

    private func tryAgain(in delay: Duration) {
        guard self.retry == nil else { return }
        self.retry = self.loop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) { [weak self] in
            self?.retry = nil
            self?.flush()
        }
    }
}

extension SystemdError {
    fileprivate enum Obstacle {
        /// The receiver does not read at this moment, or the system is short of what it takes.
        case full
        /// Nobody is there who could read.
        case gone
        /// It will not get better.
        case forGood
    }

    fileprivate var obstacle: Obstacle {
        switch self.errorNumber {
        case EAGAIN, ENOBUFS, ENOMEM, EMFILE, ENFILE: .full
        case ENOENT, ECONNREFUSED: .gone
        default: .forGood
        }
    }
}
