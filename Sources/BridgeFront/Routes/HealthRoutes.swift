import BridgeConfiguration
import BridgeCore
import BridgeLink
import HTTPTypes
import Hummingbird

/// `GET /health`, `/health/live` and `/health/ready`.
enum HealthRoutes {
    /// The supervisor's account of every upstream. Always 200: that it could be asked at all is the status.
    ///
    /// Whoever may not hear of every server hears whether all is well, and nothing else.
    static func health(_ request: Request, _ context: FrontContext) async throws -> Response {
        do {
            let answer = try await ControlCall.ask(ControlRequest.health, within: ControlCall.readingTime, context)
            guard context.admission.hearsOfServers else {
                return Self.brief(JSONText(trusting: answer.body).bool("ok") ?? false)
            }
            return .json(answer.body)
        } catch let refusal as Refusal {
            guard context.admission.hearsOfServers else { return Self.brief(false) }
            let service = context.state.value.configuration.publicName
            let body = JSONWriter.object { body in
                body.member("status", "ok")
                body.member("service", service)
                body.member("ok", false)
                body.member("upstreams", JSONText.emptyArray)
                body.member("toolCount", 0)
                body.memberObject("error") { error in
                    error.member("code", refusal.code)
                    error.member("message", refusal.message)
                }
            }
            return .json(body.bytes)
        }
    }

    private static func brief(_ isWell: Bool) -> Response {
        .json(JSONWriter.object { $0.member("ok", isWell) }.bytes)
    }

    /// That this answers is the answer.
    static func live(_ request: Request, _ context: FrontContext) async throws -> Response {
        .json(JSONText(literal: #"{"live":true}"#).bytes)
    }

    /// Whether a client that comes now is served: 200, or 503 with the reasons.
    static func ready(_ request: Request, _ context: FrontContext) async throws -> Response {
        var reasons: [JSONText] = []
        let state = context.state.value
        if state.table.isDraining { reasons.append(Self.reason("draining", "The service is stopping.")) }
        if !state.session.isConnected {
            reasons.append(Self.reason("session_unavailable", "The session worker is not available."))
        }
        do {
            let answer = try await ControlCall.ask(ControlRequest.health, within: ControlCall.readingTime, context)
            reasons += Self.reasons(in: JSONText(trusting: answer.body))
        } catch let refusal as Refusal {
            reasons.append(Self.reason(refusal.code, refusal.message))
        }
        let body = JSONWriter.object { body in
            body.member("ready", reasons.isEmpty)
            body.member("reasons", context.admission.hearsOfServers ? reasons : [])
        }
        return .json(body.bytes, status: reasons.isEmpty ? .ok : .serviceUnavailable)
    }

    /// Why the supervisor's account does not say `ok`.
    static func reasons(in health: JSONText) -> [JSONText] {
        guard health.bool("ok") != true else { return [] }
        var reasons: [JSONText] = []
        let upstreams = health.value("upstreams")
        upstreams?.elements { span in
            guard let upstream = upstreams?[span], upstream.bool("connected") != true else { return }
            guard (upstream.int("toolCount") ?? 0) == 0 else { return }
            reasons.append(
                JSONWriter.object { reason in
                    reason.member("code", "upstream_unavailable")
                    reason.member("upstream", upstream.string("name"))
                    reason.member("message", upstream.string("lastError") ?? "not connected yet")
                }
            )
        }
        if reasons.isEmpty { reasons.append(Self.reason("not_ready", "The supervisor says that not all is well.")) }
        return reasons
    }

    private static func reason(_ code: String, _ message: String) -> JSONText {
        JSONWriter.object { reason in
            reason.member("code", code)
            reason.member("message", message)
        }
    }
}

extension Response {
    static func json(_ body: ByteBuffer, status: HTTPResponse.Status = .ok) -> Response {
        var fields = HTTPFields()
        fields.append(.json)
        return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: body))
    }
}
