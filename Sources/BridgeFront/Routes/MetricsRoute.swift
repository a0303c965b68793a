import BridgeCore
import BridgeLink
import HTTPTypes
import Hummingbird

/// `GET /metrics`, for Prometheus.
enum MetricsRoute {
    static func metrics(_ request: Request, _ context: FrontContext) async throws -> Response {
        let health = try await Self.ask(.health, context)
        let memory = health == nil ? nil : try await Self.ask(.memory, context)
        let counts = await Self.counts(context)
        let text = Self.text(
            context.state.value, health: health, memory: memory, counts: counts, usage: .current())
        return Response(
            status: .ok, headers: [.contentType: PrometheusText.contentType],
            body: ResponseBody(byteBuffer: text.buffer)
        )
    }

    /// - Returns: what the supervisor says; nil when it does not: the rest is worth having without it.
    private static func ask(_ question: ControlRequest, _ context: FrontContext) async throws -> JSONText? {
        do {
            let answer = try await ControlCall.ask(question, within: ControlCall.readingTime, context)
            return JSONText(trusting: answer.body)
        } catch is Refusal {
            return nil
        }
    }

    /// - Returns: what the session worker says of the servers' calls; nil when it does not in time.
    private static func counts(_ context: FrontContext) async -> JSONText? {
        let state = context.state.value
        guard state.session.isConnected else { return nil }
        let wait = ExchangeWait(loop: state.loop)
        wait.attach(state.session.open(header: SessionRequest(.counts, requestID: "").text, delegate: wait))
        switch await wait.next(within: .seconds(2)) {
        case .ended(_, let body): return body.map { JSONText(trusting: $0) }
        case .quiet: wait.cancel(reason: "no answer in time")
        case .failed, .clientGone: break
        }
        return nil
    }

    static func text(
        _ state: FrontState, health: JSONText?, memory: JSONText?, counts: JSONText?, usage: ProcessUsage
    ) -> PrometheusText {
        var text = PrometheusText()
        let metrics = state.metrics
        text.metric("mcp_bridge_http_requests_total", .counter, "HTTP requests answered.") { samples in
            metrics.forEachRoute { route, status, count in
                samples.sample(count, ["route": route.name, "status": "\(status)"])
            }
        }
        text.metric("mcp_bridge_http_refused_total", .counter, "Requests and connections refused, by reason.") {
            samples in
            for refusal in metrics.refusals { samples.sample(refusal.count, ["reason": refusal.code]) }
        }
        text.metric(
            "mcp_bridge_http_requests_in_flight", .gauge, "Requests without an answer.", metrics.requestsInFlight)
        text.metric("mcp_bridge_http_streams", .gauge, "Open event streams.", metrics.openStreams)
        text.metric("mcp_bridge_http_connections", .gauge, "Open connections.") { samples in
            samples.sample(state.table.count - state.table.busyCount, ["state": "idle"])
            samples.sample(state.table.busyCount, ["state": "busy"])
        }
        text.metric(
            "mcp_bridge_http_evicted_connections_total", .counter, "Idle connections closed to make room.",
            metrics.evictedConnections
        )
        text.metric("mcp_bridge_http_held_bytes", .gauge, "Large payloads held for clients.") { samples in
            samples.sample(state.bodies.held, ["kind": "request"])
            samples.sample(state.table.payloads.answers, ["kind": "answer"])
        }
        text.metric("mcp_bridge_link_restarts_total", .counter, "Losses of the session link.", metrics.linkRestarts)
        text.metric(
            "mcp_bridge_requests_retried_total", .counter, "Requests sent to the session worker again.",
            metrics.retriedRequests
        )
        text.metric(
            "mcp_bridge_outcomes_unknown_total", .counter, "Requests answered with outcome_unknown.",
            metrics.unknownOutcomes
        )
        text.metric("process_cpu_seconds_total", .counter, "CPU time of the front process.", usage.cpuSeconds)
        text.metric(
            "process_resident_memory_bytes", .gauge, "Resident memory of the front process.", usage.residentBytes)
        text.metric("process_open_fds", .gauge, "Open descriptors of the front process.", usage.descriptors)
        if let memory { Self.memory(memory, &text) }
        if let upstreams = health?.value("upstreams") { Self.upstreams(upstreams, &text) }
        if let counts { Self.calls(counts, &text) }
        return text
    }

    /// - Parameter counts: by server, as `CallTally` writes it.
    private static func calls(_ counts: JSONText, _ text: inout PrometheusText) {
        text.metric(
            "mcp_bridge_upstream_requests_total", .counter,
            "Requests of clients to an upstream: result, error (its own), or the bridge's word for what went wrong."
        ) { samples in
            counts.members { upstream, tally in
                guard let outcomes = counts[tally].value("outcomes") else { return }
                outcomes.members { outcome, count in
                    samples.sample(
                        outcomes[count].int ?? 0, ["upstream": upstream.string, "outcome": outcome.string])
                }
            }
        }
        text.metric(
            "mcp_bridge_upstream_answer_seconds", .histogram,
            "From a client's request to the upstream's answer, as the session worker sees it."
        ) { samples in
            counts.members { upstream, span in
                let (name, tally) = (upstream.string, counts[span])
                guard let within = tally.value("within") else { return }
                within.members { bound, count in
                    samples.sample(
                        within[count].int ?? 0, ["upstream": name, "le": bound.string], suffix: "_bucket")
                }
                let answers = tally.int("answers") ?? 0
                samples.sample(answers, ["upstream": name, "le": "+Inf"], suffix: "_bucket")
                let seconds = Double(tally.int("microseconds") ?? 0) / 1_000_000
                samples.sample(seconds, ["upstream": name], suffix: "_sum")
                samples.sample(answers, ["upstream": name], suffix: "_count")
            }
        }
    }

    private static func memory(_ memory: JSONText, _ text: inout PrometheusText) {
        func metric(
            _ name: String, _ help: String, _ key: StaticString, _ kind: PrometheusText.Kind = .gauge
        ) {
            text.metric(name, kind, help) { samples in
                memory.members { process, use in
                    guard let bytes = memory[use].int(key) else { return }
                    samples.sample(bytes, ["process": process.string])
                }
            }
        }
        metric(
            "mcp_bridge_process_pss_bytes", "Memory of each process of the bridge, its share of common pages included.",
            "pssBytes"
        )
        metric("mcp_bridge_process_anonymous_bytes", "The part of it that is no file's.", "anonymousBytes")
        metric(
            "mcp_bridge_log_dropped_records_total", "Records that each process's log had no room for.",
            "droppedLogRecords", .counter)
    }

    private static func upstreams(_ upstreams: JSONText, _ text: inout PrometheusText) {
        text.metric("mcp_bridge_upstream_up", .gauge, "Whether an upstream is connected.") { samples in
            upstreams.elements { span in
                let upstream = upstreams[span]
                guard let name = upstream.string("name") else { return }
                samples.sample(upstream.bool("connected") == true ? 1 : 0, ["upstream": name])
            }
        }
        text.metric("mcp_bridge_upstream_tools", .gauge, "Tools of an upstream.") { samples in
            upstreams.elements { span in
                let upstream = upstreams[span]
                guard let name = upstream.string("name") else { return }
                samples.sample(upstream.int("toolCount") ?? 0, ["upstream": name])
            }
        }
    }
}
