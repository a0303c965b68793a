import Synchronization

/// What happened, in its order, and a way to wait for the next thing of a kind. Nothing is missed by looking late.
final class EventLog<Element: Sendable>: Sendable {
    private struct Waiter {
        let predicate: @Sendable (Element) -> Bool
        let continuation: CheckedContinuation<Element, Never>
    }

    private struct State {
        var elements: [Element] = []
        var cursor = 0
        var waiters: [Waiter] = []
    }

    private let state = Mutex(State())

    func append(_ element: Element) {
        let woken = self.state.withLock { state -> [Waiter] in
            state.elements.append(element)
            let woken = state.waiters.filter { $0.predicate(element) }
            state.waiters.removeAll { $0.predicate(element) }
            if !woken.isEmpty { state.cursor = state.elements.count }
            return woken
        }
        for waiter in woken { waiter.continuation.resume(returning: element) }
    }

    /// The first such element behind the last one that was waited for.
    func next(where predicate: @escaping @Sendable (Element) -> Bool) async -> Element {
        await withCheckedContinuation { continuation in
            let found = self.state.withLock { state -> Element? in
                if let index = state.elements[state.cursor...].firstIndex(where: predicate) {
                    state.cursor = index + 1
                    return state.elements[index]
                }
                state.waiters.append(Waiter(predicate: predicate, continuation: continuation))
                return nil
            }
            if let found { continuation.resume(returning: found) }
        }
    }

    var all: [Element] { self.state.withLock { $0.elements } }
}
