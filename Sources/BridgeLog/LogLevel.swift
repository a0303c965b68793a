package import Logging
import Synchronization

/// The level of every logger that was not given one of its own. May change at any time, from any thread.
package final class LogLevel: Sendable {
    private let index: Atomic<Int>

    package init(_ level: Logger.Level) {
        self.index = Atomic(level.index)
    }

    package var current: Logger.Level {
        get { Logger.Level(index: self.index.load(ordering: .relaxed)) }
        set { self.index.store(newValue.index, ordering: .relaxed) }
    }
}

extension Logger.Level {
    /// Reads a level as people write it in configuration: swift-log's names in any case, and `warn`.
    package init?(named name: String) {
        let name = name.lowercased()
        self.init(rawValue: name == "warn" ? "warning" : name)
    }

    /// The priority of syslog(3) and the journal.
    package var syslogPriority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    fileprivate var index: Int {
        switch self {
        case .trace: 0
        case .debug: 1
        case .info: 2
        case .notice: 3
        case .warning: 4
        case .error: 5
        case .critical: 6
        }
    }

    /// Asked for by every log statement: a jump, and no array of all cases.
    fileprivate init(index: Int) {
        switch index {
        case 0: self = .trace
        case 1: self = .debug
        case 2: self = .info
        case 3: self = .notice
        case 4: self = .warning
        case 5: self = .error
        default: self = .critical
        }
    }
}
