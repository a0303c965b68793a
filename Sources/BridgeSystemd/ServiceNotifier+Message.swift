extension ServiceNotifier {
    /// One assignment of the notification protocol.
    package enum Message: Hashable, Sendable {
        /// Started, or done with reloading.
        case ready
        /// One line for people. Control characters become spaces, and more than 1,024 bytes are cut.
        case status(String)
        /// Alive; to be sent well within ``Watchdog/interval(environment:processID:)``.
        case watchdog
        /// Reloading, with the time of sending in `MONOTONIC_USEC`. ``ready`` must follow.
        case reloading
        case stopping
        /// Needs so much more time from now, for the start, reload or stop that is going on.
        case extendTimeout(Duration)

        /// - Parameter monotonic: the time of sending, in microseconds of `CLOCK_MONOTONIC`.
        func encoded(monotonic: UInt64) -> String {
            switch self {
            case .ready: "READY=1"
            case .status(let text): "STATUS=" + Self.line(text)
            case .watchdog: "WATCHDOG=1"
            case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(monotonic)"
            case .stopping: "STOPPING=1"
            case .extendTimeout(let duration): "EXTEND_TIMEOUT_USEC=\(duration.wholeMicroseconds)"
            }
        }

        private static let maximumStatus = 1_024

        private static func line(_ text: String) -> String {
            var line = String.UnicodeScalarView()
            var size = 0
            for scalar in text.unicodeScalars {
                let width = UTF8.width(scalar)
                guard size + width <= Self.maximumStatus else { break }
                size += width
                line.append(scalar.properties.generalCategory == .control ? " " : scalar)
            }
            return String(line)
        }
    }
}

extension Duration {
    /// Rounded down; 0 for a negative duration, and no more than fits.
    package var wholeMicroseconds: UInt64 {
        let (seconds, attoseconds) = self.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else { return .max }
        return product.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000_000)).partialValue
    }
}
