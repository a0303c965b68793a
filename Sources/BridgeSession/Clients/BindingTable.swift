import BridgeCore

/// What a link's peer has bound, by its numbers. It lasts as long as the link.
///
/// Pure. A number finds what it was bound to, or nothing: neither what its slot had before, nor what it has since.
final class BindingTable<Value> {
    private var slots: [(number: BindingNumber, value: Value)?] = []

    init() {}

    /// Takes the place of what the slot had before. A number that comes too late for that is left out.
    func bind(_ number: BindingNumber, to value: Value) {
        // A peer uses its slots from the first one on.
        while self.slots.count <= number.slot { self.slots.append(nil) }
        if let present = self.slots[number.slot], present.number.count > number.count { return }
        self.slots[number.slot] = (number, value)
    }

    subscript(number: BindingNumber) -> Value? {
        guard number.slot < self.slots.count, let entry = self.slots[number.slot], entry.number == number else {
            return nil
        }
        return entry.value
    }
}
