extension FaultTable {
    /// What docs/errors.md says about a fault: the HTTP statuses it comes with, what it means, what to do about it.
    private struct Guide {
        let statuses: String
        let meaning: String
        let remedy: String

        init(_ statuses: String, _ meaning: String, _ remedy: String = "") {
            self.statuses = statuses
            self.meaning = meaning
            self.remedy = remedy
        }
    }

    /// The table of docs/errors.md. A fault that has no guide yet shows an empty cell, and a test finds it.
    package static var markdown: String {
        var table = "| word | HTTP | JSON-RPC | what it means | what to do |\n|---|---|---|---|---|\n"
        for fault in Self.all {
            let guide = Self.guides[fault.word] ?? Guide("", "")
            let cells = ["`\(fault.word)`", guide.statuses, "\(fault.code)", guide.meaning, guide.remedy]
            table += cells.reduce("|") { $0 + ($1.isEmpty ? " |" : " \($1) |") } + "\n"
        }
        return table
    }

    private static let guides: [String: Guide] = [
        "upstream_unavailable": Guide(
            "200", "the server is down or busy; the call did not run",
            "see `status`; repeat, after `data.retryAfter` seconds where that is there"),
        "upstream_busy": Guide(
            "200", "the server waits for another client's answer to a question; the call did not run",
            "repeat later; `share`, `asks`, `timeouts.turn` of the server"),
        "outcome_unknown": Guide(
            "200", "what had the call died, or the token of the call has ended; it may have run",
            "look before you repeat"),
        "timeout": Guide(
            "200", "the server was too slow and was told to cancel; it may have run",
            "raise `timeouts.call`; look before you repeat"),
        "overloaded": Guide(
            "200, 503", "too much is under way; the call did not run",
            "repeat later; `limits.calls`, `limits.heldBytes`, `limits.workerBytes`"),
        "cancelled": Guide("200", "the client ended its session"),
        "too_large": Guide("200", "the answer is larger than 64 MiB; the call has run", "ask for less"),
        "unknown_tool": Guide("200", "no tool has that name", "list the tools anew"),
        "unknown_prompt": Guide("200", "no prompt has that name", "list the prompts anew"),
        "unknown_resource": Guide("200", "no server has a resource with that URI", "list the resources anew"),
        "unknown_task": Guide(
            "200", "no task of yours has that id, or its server has ended since, and its tasks with it",
            "call the tool anew"),
        "invalid_params": Guide("200, 400", "a parameter is missing or wrong"),
        "method_not_found": Guide("200", "a method that this version does not serve"),
        "duplicate_id": Guide("200", "a request with this id is still under way in the session", "use a new id"),
        "invalid_request": Guide("200, 400", "not a JSON-RPC 2.0 request, or not here"),
        "batch_not_allowed": Guide("400", "only the revision 2025-03-26 has batches", "send single messages"),
        "parse_error": Guide("400", "the body is not JSON (RFC 8259, UTF-8)"),
        "session_required": Guide("400", "no `Mcp-Session-Id`, and not `initialize`", "initialize first"),
        "unknown_session": Guide(
            "404", "unknown, forged, expired, ended, or another user's session",
            "initialize anew"),
        "unknown_event": Guide("400", "`Last-Event-ID` names a stream that is no longer kept"),
        "unsupported_protocol_version": Guide(
            "400", "a revision that is not served; `data.supported` lists those that are",
            "fall back to `initialize`"),
        "not_acceptable": Guide("406", "`Accept` must have `application/json` and `text/event-stream`"),
        "unsupported_media_type": Guide(
            "415", "the body must be `application/json` or `application/*+json`, in UTF-8, and not compressed"),
        "unsupported_transfer_coding": Guide("501", "a `Transfer-Encoding` besides `chunked`"),
        "method_not_allowed": Guide("405", "see the `Allow` header"),
        "bad_request": Guide("400", "HTTP that has no meaning, or two"),
        "payload_too_large": Guide("413", "the body is too long", "`limits.bodyBytes`"),
        "header_too_large": Guide("431", "request line and headers are too long", "`limits.headerBytes`"),
        "request_timeout": Guide(
            "408", "the request did not arrive in time",
            "`limits.headerTimeout`, `limits.bodyTimeout`"),
        "host_not_allowed": Guide(
            "403", "`Host` is not one of the service's names",
            "use `127.0.0.1`, or `bridge.hosts`"),
        "origin_not_allowed": Guide("403", "`Origin` is not on the list", "`bridge.origins`"),
        "token_required": Guide(
            "401",
            "a remote page, a proxy, another machine, or anybody where `requireToken` is `always`, asks without a token",
            "`mcp-bridge token create`, `Authorization: Bearer`"),
        "invalid_token": Guide(
            "401", "the token is unknown, cut, expired or revoked", "`mcp-bridge token list`; make another"),
        "tokens_unreadable": Guide(
            "503", "the database cannot be read: nobody is let in by a token", "see `status` and the log"),
        "not_granted": Guide(
            "200, 403", "this user, or the token's scope, does not have that", "`bridge.peers`; a token with that scope"
        ),
        "admin_required": Guide(
            "403", "changing servers takes a token with `admin`, or an admin on the Unix socket",
            "such a token; as root, or `bridge.peers`"),
        "rate_limited": Guide(
            "429, 200", "too many requests of the token, or of all tokens; the call did not run",
            "wait as `Retry-After` and `data.retryAfter` say; `limits.tokenRate`"),
        "budget_spent": Guide(
            "429, 200", "the token's budget for the day is used up; the call did not run",
            "wait for the next day of UTC, or another token"),
        "concurrency_limited": Guide(
            "200", "too many calls of the token are under way; the call did not run", "repeat when one has ended"),
        "limits_unwritable": Guide(
            "503, 200", "the database cannot be written, so nothing limited is let through; the call did not run",
            "see `status` and the log; make room on the disk"),
        "bridge_unavailable": Guide(
            "none", "`mcp-bridge stdio` finds no bridge; the request did not run", "start the service; repeat"),
        "session_unavailable": Guide("503", "the session worker is away; the request did not run", "repeat"),
        "supervisor_unavailable": Guide("503", "the supervisor did not answer in time", "repeat"),
        "draining": Guide("503", "the service is stopping", "repeat"),
        "internal": Guide("500, 200", "a fault of the bridge", "see the log; report it"),
        "not_found": Guide("404", "there is no such path"),
        "slow_reader": Guide(
            "none", "in `/metrics` only: closed because the answer was not read",
            "`limits.slowReadTimeout`, `limits.heldBytes`"),
        "too_many_connections": Guide("503", "all connections are busy", "`limits.connections`"),
        "not_ready": Guide("503", "in `/health/ready` only: something is not well", "see `status`"),
    ]
}
