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
    var slot: Int { self.rawValue & (Self.slots - 1) }
    var count: Int { self.rawValue >> Self.slotBits }
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

/// What a link's peer has bound, by its numbers. It lasts as long as the link.
///
/// Pure. A number finds what it was bound to, or nothing: neither what its slot had before, nor what it has since.
package final class BindingTable<Value> {
    private var slots: [(number: BindingNumber, value: Value)?] = []

    package init() {}

    /// Takes the place of what the slot had before. A number that comes too late for that is left out.
    package func bind(_ number: BindingNumber, to value: Value) {
        // A peer uses its slots from the first one on.
        while self.slots.count <= number.slot { self.slots.append(nil) }
        if let present = self.slots[number.slot], present.number.count > number.count { return }
        self.slots[number.slot] = (number, value)
    }

    package subscript(number: BindingNumber) -> Value? {
        guard number.slot < self.slots.count, let entry = self.slots[number.slot], entry.number == number else {
            return nil
        }
        return entry.value
    }
}
