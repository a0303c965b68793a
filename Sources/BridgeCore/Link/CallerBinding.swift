/// How one end of a link opens requests that all come from the same caller: with all that is to be known of it until the
/// peer has taken one up, and by a number from then on. There is no message that only binds, and nobody waits for one.
///
/// Pure, but that its end gives the number back.
package final class CallerBinding {
    package enum Opening {
        /// With the whole header, which gives the caller this number.
        case binds(BindingNumber)
        /// With this header, which has nothing but the number.
        case isBound(BindingNumber, JSONText)
    }

    private let numbers: BindingNumbers
    private var number: BindingNumber?
    /// There once the peer knows the number.
    private var header: JSONText?

    package init(_ numbers: BindingNumbers) { self.numbers = numbers }

    deinit { if let number = self.number { self.numbers.release(number) } }

    /// The next request, on the link that there is.
    package func open() -> Opening {
        if let number = self.number, self.numbers.isCurrent(number) {
            return self.header.map { .isBound(number, $0) } ?? .binds(number)
        }
        let number = self.numbers.take()
        self.number = number
        self.header = nil
        return .binds(number)
    }

    /// The peer has taken up a request with this number.
    package func taken(_ number: BindingNumber) {
        guard self.header == nil, number == self.number else { return }
        self.header = SessionOpening.bound(number, requestID: "").text(capacity: 32)
    }

    /// The peer says that it does not know the number.
    package func unknown(_ number: BindingNumber) {
        guard number == self.number else { return }
        self.number = nil
        self.header = nil
        self.numbers.release(number)
    }
}
