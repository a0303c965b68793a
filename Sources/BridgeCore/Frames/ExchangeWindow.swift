/// How much of one direction of an exchange may be on its way without having been acknowledged.
///
/// A message costs one message and its payload's bytes, at most the whole window. It may go while anything of the window
/// is left, and so overdraw it once: what the receiver has consumed but not yet given back is at most half a window, and
/// a sender that waited for a whole one could wait for ever.
/// `open`, `end` and `cancel` cost nothing: there is one of each.
package struct ExchangeWindow: Sendable, Equatable {
    package static let messages = 64
    package static let octets = 1 << 20

    private var messages = ExchangeWindow.messages
    private var octets = ExchangeWindow.octets

    package init() {}

    /// Whether a small message would go now.
    package var isOpen: Bool { self.messages > 0 && self.octets > 0 }

    package static func cost(of octets: Int) -> Int { min(octets, Self.octets) }

    /// Takes a message's share, or leaves the window as it is and says false.
    package mutating func take(_ octets: Int) -> Bool {
        let cost = Self.cost(of: octets)
        guard self.isOpen else { return false }
        self.messages -= 1
        self.octets -= cost
        return true
    }

    /// Gives back what the peer has consumed. More than was taken counts as no more than the whole window.
    package mutating func give(messages: Int, octets: Int) {
        self.messages = min(self.messages + max(messages, 0), Self.messages)
        self.octets = min(self.octets + max(octets, 0), Self.octets)
    }
}

/// What a receiver has consumed and not yet given back. Credit goes out in portions of half a window.
package struct ConsumedCredit: Sendable, Equatable {
    private var messages = 0
    private var octets = 0

    package init() {}

    /// Counts one consumed message; returns the credit to send, if it is time to.
    package mutating func consume(_ octets: Int) -> (messages: Int, octets: Int)? {
        self.messages += 1
        self.octets += ExchangeWindow.cost(of: octets)
        guard self.messages >= ExchangeWindow.messages / 2 || self.octets >= ExchangeWindow.octets / 2 else {
            return nil
        }
        defer { self = ConsumedCredit() }
        return (self.messages, self.octets)
    }
}
