import BridgeCore

/// How sign-ins have ended, for whoever asks a moment too late: a browser may be faster than the command that waits for it.
///
/// Confined to the supervisor's event loop.
final class SignInOutcomes {
    private enum State {
        case waiting([(OAuthAnswer) -> Void])
        case over(OAuthAnswer)
    }

    private struct SignIn {
        let number: Int
        var state: State
    }

    private var last: [String: SignIn] = [:]
    private var count = 0

    /// A sign-in to this upstream waits for somebody.
    ///
    /// - Returns: its number, for ``ended(_:_:with:)``.
    func began(_ upstream: String) -> Int {
        self.count += 1
        self.last[upstream] = SignIn(number: self.count, state: .waiting([]))
        return self.count
    }

    func ended(_ upstream: String, _ number: Int, with answer: OAuthAnswer) {
        guard let signIn = self.last[upstream], signIn.number == number, case .waiting(let waiting) = signIn.state
        else {
            return
        }
        self.last[upstream]?.state = .over(answer)
        for done in waiting { done(answer) }
    }

    /// Hears of the end of the last sign-in: at once where it is over, which is told once.
    ///
    /// - Returns: false where none has begun.
    func wait(for upstream: String, _ done: @escaping (OAuthAnswer) -> Void) -> Bool {
        switch self.last[upstream]?.state {
        case nil: return false
        case .waiting(let others): self.last[upstream]?.state = .waiting(others + [done])
        case .over(let answer):
            self.last[upstream] = nil
            done(answer)
        }
        return true
    }
}
