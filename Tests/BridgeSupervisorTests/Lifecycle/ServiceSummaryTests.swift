import Testing

@testable import BridgeSupervisor

@Suite("Service summary") struct ServiceSummaryTests {
    private static func summary(_ adjust: (inout ServiceSummary) -> Void) -> ServiceSummary {
        var summary = ServiceSummary()
        adjust(&summary)
        return summary
    }

    private static func upstream(
        _ name: String, _ trouble: String? = nil, ready: Bool = false, token: String? = nil
    ) -> ServiceSummary.Upstream {
        ServiceSummary.Upstream(name: name, isReady: ready, trouble: trouble, tokenTrouble: token)
    }

    @Test(arguments: [
        (summary { _ in }, "0/0 upstreams ready, 0 sessions"),
        (
            summary {
                $0.upstreams = [
                    upstream("a", ready: true), upstream("github", "sign-in needed"), upstream("b", ready: true),
                ]
                $0.sessions = 14
            }, "2/3 upstreams ready, 14 sessions, github: sign-in needed"
        ),
        (summary { $0.sessions = 1 }, "0/0 upstreams ready, 1 session"),
        (summary { $0.upstreams = [upstream("a")] }, "0/1 upstreams ready, 0 sessions, a: not ready"),
        (
            summary { $0.upstreams = [upstream("a", "was not ready", ready: true)] }, "1/1 upstreams ready, 0 sessions"
        ),
        (
            summary {
                $0.troubledWorkers = ["http", "session"]
                $0.upstreams = [upstream("a", "x")]
                $0.needsRestart = true
            },
            "0/1 upstreams ready, 0 sessions, worker http is down, worker session is down, a: x, changed settings need a restart"
        ),
        (
            summary { summary in summary.upstreams = (1...7).map { upstream("u\($0)", "t") } },
            "0/7 upstreams ready, 0 sessions, u1: t, u2: t, u3: t, u4: t, u5: t"
        ),
        (
            summary {
                $0.upstreams = [
                    upstream("a", "was not ready", ready: true, token: "sign-in needed"),
                    upstream("b", "401 invalid_token", token: "refused by server"),
                    upstream("c", "sign-in needed: expired", token: "sign-in needed"),
                    upstream("d", token: "configuration wrong"),
                ]
            },
            "1/4 upstreams ready, 0 sessions, a: sign-in needed, b: refused by server: 401 invalid_token, "
                + "c: sign-in needed: expired, d: configuration wrong"
        ),
        (
            summary {
                $0.isStopping = true
                $0.sessions = 3
                $0.troubledWorkers = ["http"]
            }, "stopping: finishing calls in flight"
        ),
    ])
    func `says how things are`(summary: ServiceSummary, text: String) {
        #expect(summary.text == text)
    }
}
