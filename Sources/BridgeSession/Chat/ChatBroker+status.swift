import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore

// How sources are, for people.

extension ChatBroker {
    /// `sources`: those that are there, and those that the configuration names and that are not. Nothing where it names none.
    func writeStatus(to status: inout JSONWriter) {
        guard !self.settings.sources.isEmpty || !self.sources.isEmpty else { return }
        let present = self.present(now: .now())
        status.memberArray("sources") { list in
            for source in present {
                list.object { row in
                    row.member("name", source.rule.name)
                    row.member("client", ifPresent: source.session.identity.claims.client)
                    row.member("session", source.session.identity.digest)
                    row.member("state", self.state(of: source).rawValue)
                    row.member("busy", self.busy(source))
                    row.member("text", self.words(about: source))
                }
            }
            for rule in self.settings.sources where !present.contains(where: { $0.rule.name == rule.name }) {
                list.object { row in
                    row.member("name", rule.name)
                    row.member("state", State.absent.rawValue)
                    row.member("busy", 0)
                    row.member("text", "not connected")
                }
            }
        }
        status.member("requestsWaiting", self.countWaiting)
    }

    /// Without those that are gone, where another has taken their place.
    private func present(now: NIODeadline) -> [SamplingSource] {
        let here = Set(self.sources.values.filter { !$0.isGone(now: now) }.map(\.rule.name))
        return self.sources.values.filter { !$0.isGone(now: now) || !here.contains($0.rule.name) }
            .sorted { ($0.rule.name, $0.id) < ($1.rule.name, $1.id) }
    }

    private enum State: String {
        case ready, busy, refused, absent
        case warmingUp = "warming up"
        case away
    }

    private func state(of source: SamplingSource) -> State {
        if !source.isReachable { return .away }
        if self.settings.warmsUp, !source.warmUp.isReady {
            return source.warmUp.state == .stopped ? .refused : .warmingUp
        }
        return !source.isFull && self.busy(source) < (source.rule.parallel ?? self.settings.parallel) ? .ready : .busy
    }

    private func words(about source: SamplingSource) -> String {
        switch self.state(of: source) {
        case .ready where self.busy(source) == 0: "ready"
        case .busy where source.isFull: "takes nothing for a moment: it reads slowly, or is asked as much as one may be"
        case .ready, .busy:
            "ready, answers \(self.busy(source)) of \(source.rule.parallel ?? self.settings.parallel) at once"
        case .warmingUp: "asked for its consent; nothing has come back yet"
        case .refused: "refused; asked again at the next call of 'hook', or the next request"
        case .away: "connected, but neither listening nor in a call of 'hook': it cannot be asked"
        case .absent: "not connected"
        }
    }
}
