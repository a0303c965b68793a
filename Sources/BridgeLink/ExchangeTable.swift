/// The exchanges of a link, as one of its ends knows them: each in a slot of the side that opened it.
///
/// A number finds its exchange only while that exchange is here: neither before it, nor after it, nor its successor in the
/// same slot. Pure: it knows nothing of frames. (It is in this room because it is generic: in another one it would be
/// called as such, and look its types up every time.)
struct ExchangeTable<Element> {
    private struct Slot {
        /// Of the newest exchange that the slot had.
        var count: UInt64
        var element: Element?
        /// The next slot that is free, in a list of those of this end.
        var nextFree = -1
    }

    private let side: ExchangeNumber.Side
    private var own: [Slot] = []
    private var peers: [Slot] = []
    private var firstFree = -1
    private(set) var count = 0

    /// - Parameter side: this end.
    init(side: ExchangeNumber.Side) { self.side = side }

    // MARK: Exchanges that this end opens

    /// Finds a slot for one more.
    ///
    /// - Returns: its number; nil where every slot is taken.
    mutating func add(_ element: Element) -> ExchangeNumber? {
        var index = self.firstFree
        if index >= 0 {
            self.firstFree = self.own[index].nextFree
        } else {
            index = self.own.count
            guard index < ExchangeNumber.slots else { return nil }
            self.own.append(Slot(count: 0))
        }
        let count = ExchangeNumber.count(after: self.own[index].count)
        self.own[index].count = count
        self.own[index].element = element
        self.count += 1
        return ExchangeNumber(side: self.side, index: index, count: count)
    }

    // MARK: Exchanges that the peer opens

    /// Whether the peer may open an exchange of this number: it has not had it yet, and the slot's exchange before it is over.
    /// From then on the number, and all that came before it in its slot, cannot be opened again.
    mutating func admit(_ number: ExchangeNumber) -> Bool {
        guard number.side != self.side, number.rawValue != 0 else { return false }
        let index = number.index
        guard index < self.peers.count else {
            // A peer uses its slots from the first one on.
            while self.peers.count < index { self.peers.append(Slot(count: Self.never)) }
            self.peers.append(Slot(count: number.count))
            return true
        }
        guard self.peers[index].element == nil else { return false }
        let before = self.peers[index].count
        guard before == Self.never || ExchangeNumber.isCount(number.count, after: before) else { return false }
        self.peers[index].count = number.count
        return true
    }

    /// The count of a slot that the peer has not used; no number has it.
    private static var never: UInt64 { .max }

    /// Puts an exchange into its slot, which it has been admitted to.
    ///
    /// - Returns: false where the peer has opened another one in it since.
    mutating func place(_ element: Element, at number: ExchangeNumber) -> Bool {
        let index = number.index
        guard number.side != self.side, index < self.peers.count, self.peers[index].count == number.count,
            self.peers[index].element == nil
        else { return false }
        self.peers[index].element = element
        self.count += 1
        return true
    }

    // MARK: Both

    subscript(number: ExchangeNumber) -> Element? {
        @inline(__always)
        get {
            let index = number.index
            if number.side == self.side {
                guard index < self.own.count, self.own[index].count == number.count else { return nil }
                return self.own[index].element
            }
            guard index < self.peers.count, self.peers[index].count == number.count else { return nil }
            return self.peers[index].element
        }
    }

    /// Takes an exchange out. Its slot is free for another one.
    ///
    /// - Returns: nil where the number's exchange is not here, or not any more.
    @discardableResult
    mutating func remove(_ number: ExchangeNumber) -> Element? {
        guard let element = self[number] else { return nil }
        let index = number.index
        if number.side == self.side {
            self.own[index].element = nil
            self.own[index].nextFree = self.firstFree
            self.firstFree = index
        } else {
            self.peers[index].element = nil
        }
        self.count -= 1
        return element
    }

    /// Takes all of them out.
    mutating func removeAll() -> [Element] {
        let all = self.elements
        for index in self.own.indices where self.own[index].element != nil {
            self.own[index].element = nil
            self.own[index].nextFree = self.firstFree
            self.firstFree = index
        }
        for index in self.peers.indices { self.peers[index].element = nil }
        self.count = 0
        return all
    }

    var elements: [Element] { self.own.compactMap(\.element) + self.peers.compactMap(\.element) }
}
