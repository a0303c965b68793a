import BridgeChat
import NIOCore

/// What users of sources have refused a short while ago: whoever asks for the same is told so, without asking them again.
/// Programs repeat what was refused, up to six times, and each time would open a window on somebody's screen.
///
/// Pure: times come in.
struct RefusalBook {
    private struct Key: Hashable {
        let principal: String
        let model: String
    }

    static let memory = TimeAmount.seconds(60)
    private static let maximum = 1_024

    private var refusals: [Key: (until: NIODeadline, fault: ChatFault)] = [:]

    /// A source's user has refused a request for this model.
    mutating func note(_ fault: ChatFault, principal: String, model: String, now: NIODeadline) {
        if self.refusals.count >= Self.maximum {
            self.refusals = self.refusals.filter { $0.value.until > now }
            if self.refusals.count >= Self.maximum { self.refusals.removeAll() }
        }
        self.refusals[Key(principal: principal, model: model)] = (now + Self.memory, fault)
    }

    /// What was refused, if it was just now.
    func refusal(principal: String, model: String, now: NIODeadline) -> ChatFault? {
        guard !self.refusals.isEmpty, let known = self.refusals[Key(principal: principal, model: model)],
            known.until > now
        else { return nil }
        return known.fault
    }

    /// A user has come forward: it may be asked again.
    mutating func forget() { self.refusals = [:] }
}
