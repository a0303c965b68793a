import BridgeCore
import NIOCore

/// What callers are told whose calls have got no answer of their upstream. Each says whether the call ran, and whose it was.
struct CallFaults {
    private let upstream: String
    private let details: JSONText

    init(upstream: String) {
        self.upstream = upstream
        self.details = JSONWriter.object { $0.member("upstream", upstream) }
    }

    /// It did not run.
    ///
    /// - Parameter retryAfter: in how many seconds the upstream wants to be asked again, where it has said so.
    func unavailable(_ reason: String, retryAfter: Int? = nil) -> ToldFault {
        guard let retryAfter else {
            return Fault.upstreamUnavailable.told(
                ["upstream": self.upstream, "reason": reason], details: self.details)
        }
        let told = RetryAfter.words(reason, retryAfter)
        let details = JSONWriter.object {
            $0.member("upstream", self.upstream)
            $0.member("retryAfter", retryAfter)
        }
        return Fault.upstreamUnavailable.told(["upstream": self.upstream, "reason": told], details: details)
    }

    /// It was written, and what it led to is not known.
    func outcomeUnknown(_ reason: String) -> ToldFault {
        Fault.outcomeUnknown.told(
            ["what": "The answer of upstream '\(self.upstream)' was lost: \(reason)"], details: self.details)
    }

    /// It was written and took too long; the upstream was told to stop.
    func timedOut(after limit: TimeAmount) -> ToldFault {
        Fault.timeout.told(
            ["upstream": self.upstream, "limit": Self.words(for: limit)], details: self.details)
    }

    /// It is about a task that ended with the connection on which it was made.
    var taskGone: ToldFault {
        Fault.unknownTask.told(
            [
                "what":
                    "The task is no more: upstream '\(self.upstream)' has ended since it was made, and its tasks with "
                    + "it; what became of this one is not known"
            ], details: self.details)
    }

    /// Too much waits already. It did not run.
    var overloaded: ToldFault {
        Fault.overloaded.told(
            [
                "what": "More than \(PendingCalls<Int>.maximumWaiting) calls to upstream '\(self.upstream)', or "
                    + "\(PendingCalls<Int>.maximumWaitingOctets >> 20) MiB of them, are waiting (a fixed limit)"
            ], details: self.details)
    }

    /// It waited for its turn behind a question. It did not run.
    func busy(with method: String, since time: TimeAmount, limit: String) -> ToldFault {
        Fault.upstreamBusy.told(
            [
                "upstream": self.upstream, "method": method, "age": "\(time.nanoseconds / 1_000_000_000) s",
                "limit": "\(limit) (timeouts.turn)",
            ], details: self.details)
    }

    /// All lanes are busy. It did not run.
    func noLane(_ limit: Int) -> ToldFault {
        Fault.overloaded.told(
            ["what": "All \(limit) lanes of upstream '\(self.upstream)' are busy or ending, as its 'lanes' says"],
            details: self.details)
    }

    /// What came is no request.
    var invalid: ToldFault { Fault.invalidRequest.told(["what": "Invalid request"], details: self.details) }

    /// A limit for a call, and the setting that moves it.
    static func words(for limit: TimeAmount) -> String {
        "within \(Self.seconds(limit)) (timeouts.call, timeouts.tools)"
    }

    private static func seconds(_ amount: TimeAmount) -> String {
        let milliseconds = amount.nanoseconds / 1_000_000
        return milliseconds % 1_000 == 0 ? "\(milliseconds / 1_000) s" : "\(milliseconds) ms"
    }
}
