package import NIOCore

/// A length of time as configuration writes it: a number of seconds, fractions allowed.
package struct Seconds: RawRepresentable, Sendable, Hashable, Codable {
    package var rawValue: Double

    package init(rawValue: Double) {
        self.rawValue = rawValue
    }

    package init(_ rawValue: Double) {
        self.rawValue = rawValue
    }

    /// The longest time a configuration can ask for: ten years. Longer values would overflow a timer's nanoseconds.
    package static let longest = Seconds(10 * 365 * 86_400)

    package var duration: Duration { .nanoseconds(self.nanoseconds) }
    package var timeAmount: TimeAmount { .nanoseconds(self.nanoseconds) }

    /// Whole milliseconds, rounded down.
    package var milliseconds: Int { Int(self.nanoseconds / 1_000_000) }

    /// Clamped to 0 … ``longest``, so that the conversion to an integer cannot trap whatever a frame said.
    private var nanoseconds: Int64 {
        guard self.rawValue > 0 else { return 0 }
        return Int64(min(self.rawValue, Seconds.longest.rawValue) * 1_000_000_000)
    }
}

extension Seconds: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, Comparable {
    package init(floatLiteral value: Double) {
        self.rawValue = value
    }

    package init(integerLiteral value: Int) {
        self.rawValue = Double(value)
    }

    package static func < (lhs: Seconds, rhs: Seconds) -> Bool {
        lhs.rawValue < rhs.rawValue
    }
}

extension Seconds {
    /// As people write it: `30 s`, `0.5 s`.
    package var words: String {
        let whole = self.rawValue.rounded()
        return whole == self.rawValue && whole.magnitude < 1e15 ? "\(Int(whole)) s" : "\(self.rawValue) s"
    }
}

extension Seconds: CustomStringConvertible {
    package var description: String { "\(self.rawValue) s" }
}
