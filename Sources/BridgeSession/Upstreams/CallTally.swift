import BridgeCore
import NIOCore

/// How calls of one upstream ended, and how soon it answered. Pure: times come in.
struct CallTally {
    /// In milliseconds: who answers within each is counted together.
    static let bounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000]

    private var results = 0
    private var errors = 0
    /// By the words of faults, and of what clients have taken back.
    private var others: [(word: String, count: Int)] = []
    /// Answers by the first bound that they kept, and those that kept none.
    private var answered = Array(repeating: 0, count: Self.bounds.count + 1)
    private var nanoseconds: Int64 = 0

    enum Ending: Equatable {
        case result
        /// An error of the server's own.
        case error
        /// The bridge made the answer.
        case fault(String)
        /// Its client did not want it any more.
        case cancelled
    }

    mutating func count(_ ending: Ending, after time: TimeAmount) {
        switch ending {
        case .result: self.results += 1
        case .error: self.errors += 1
        case .fault(let word): return self.count(word)
        case .cancelled: return self.count("cancelled")
        }
        let milliseconds = time.nanoseconds / 1_000_000
        self.answered[Self.bounds.firstIndex { milliseconds < $0 } ?? Self.bounds.count] += 1
        self.nanoseconds += max(0, time.nanoseconds)
    }

    private mutating func count(_ word: String) {
        if let at = self.others.firstIndex(where: { $0.word == word }) {
            self.others[at].count += 1
        } else {
            self.others.append((word, 1))
        }
    }

    /// As the front is told: `outcomes` by word, `within` of a histogram (how many were answered within each bound, in
    /// seconds), `answers` and their `microseconds`.
    func write(to object: inout JSONWriter) {
        object.memberObject("outcomes") { outcomes in
            outcomes.member("result", self.results)
            outcomes.member("error", self.errors)
            for (word, count) in self.others.sorted(by: { $0.word < $1.word }) { outcomes.member(word, count) }
        }
        object.memberObject("within") { within in
            var sum = 0
            for (bound, count) in zip(Self.bounds, self.answered) {
                sum += count
                within.member(Self.seconds(bound), sum)
            }
        }
        object.member("answers", self.results + self.errors)
        object.member("microseconds", Int(self.nanoseconds / 1_000))
    }

    /// `0.005`, `10`.
    static func seconds(_ milliseconds: Int) -> String {
        let (whole, rest) = milliseconds.quotientAndRemainder(dividingBy: 1_000)
        guard rest > 0 else { return "\(whole)" }
        var digits = String("\(1_000 + rest)".dropFirst())
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(whole).\(digits)"
    }
}
