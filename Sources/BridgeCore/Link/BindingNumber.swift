/// The number by which one end of a link names what its peer was told once: a slot, and the how manieth it is there.
///
/// No two things ever have the same number, over all links that a process makes one after the other: a number that comes
/// late, or on another link, is unknown there and never somebody else's.
package struct BindingNumber: Hashable, Sendable {
    private static let slotBits = 14
    /// How many there can be at once.
    package static let slots = 1 << Self.slotBits

    /// As it travels.
    package let rawValue: Int

    /// - Parameter rawValue: from the peer.
    package init?(rawValue: Int) {
        guard rawValue > 0 else { return nil }
        self.rawValue = rawValue
    }

    init(slot: Int, count: Int) { self.rawValue = count << Self.slotBits | slot }

    /// Below ``slots``.
    package var slot: Int { self.rawValue & (Self.slots - 1) }
    package var count: Int { self.rawValue >> Self.slotBits }
}

/// The numbers that one end has given out, over all its links to a peer.
///
/// Pure. Nobody tells the peer that a number is free: the next one in its slot takes its place there.
package final class BindingNumbers {
    /// By slot: how often it changed hands. The newest number of a slot has the same count; an older one is over.
    private var counts: [Int] = []
    private var free: [Int] = []
    /// Where all slots are taken, whose turn it is to lose its own.
    private var next = 0
    private let slots: Int

    /// - Parameter slots: how many are given out at once.
    package init(slots: Int = BindingNumber.slots) { self.slots = min(slots, BindingNumber.slots) }

    /// A number that nobody has had. Where there is no slot left, the one that was given out longest ago is over.
    package func take() -> BindingNumber {
        let slot: Int
        if let last = self.free.popLast() {
            slot = last
        } else if self.counts.count < self.slots {
            slot = self.counts.count
            self.counts.append(0)
        } else {
            slot = self.next
            self.next = (self.next + 1) % self.slots
        }
        self.counts[slot] += 1
        return BindingNumber(slot: slot, count: self.counts[slot])
    }

    /// Whether a number is still its holder's, on the link that there is.
    package func isCurrent(_ number: BindingNumber) -> Bool {
        number.slot < self.counts.count && self.counts[number.slot] == number.count
    }

    /// Its holder needs it no longer.
    package func release(_ number: BindingNumber) {
        guard self.isCurrent(number) else { return }
        self.counts[number.slot] += 1
        self.free.append(number.slot)
    }

    /// The peer that knew the numbers is gone: all of them are over.
    package func linkLost() {
        for slot in self.counts.indices { self.counts[slot] += 1 }
        self.free = self.counts.indices.reversed()
    }
}
