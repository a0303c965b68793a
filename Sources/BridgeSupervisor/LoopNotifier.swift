package import BridgeSystemd
import Glibc
package import NIOCore

/// Tells the process above what this one is doing, from an event loop that must not wait.
///
/// What does not go because nobody reads is tried again until it goes: see ``NotificationOutbox``. Confined to the loop.
package final class LoopNotifier {
    private static let firstDelay = TimeAmount.milliseconds(20)
    private static let longestDelay = TimeAmount.milliseconds(500)

    private let notifier: ServiceNotifier
    private let loop: any EventLoop
    private var outbox = NotificationOutbox()
    private var retry: Scheduled<Void>?
    private var delay = LoopNotifier.firstDelay

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

    private func flush() {
        while let notice = self.outbox.next {
            if case .failed(let error) = self.notifier.send(notice), error.isPassing { return self.tryAgain() }
            self.outbox.removeNext()
            self.delay = Self.firstDelay
        }
        self.retry?.cancel()
        self.retry = nil
    }

    private func tryAgain() {
        guard self.retry == nil else { return }
        let delay = self.delay
        self.delay = min(delay + delay, Self.longestDelay)
        self.retry = self.loop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            self?.retry = nil
            self?.flush()
        }
    }
}

extension SystemdError {
    /// The receiver does not read, or is not there, at this moment. Whatever else is wrong will not get better.
    fileprivate var isPassing: Bool {
        switch self.errorNumber {
        case EAGAIN, ENOBUFS, ENOMEM, EMFILE, ENFILE, ENOENT, ECONNREFUSED: true
        default: false
        }
    }
}
