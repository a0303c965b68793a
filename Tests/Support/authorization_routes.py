"""What the authorization server of ``authorization_server`` answers when nobody wants anything else."""

from __future__ import annotations

import secrets
from typing import Any

from authorization_server import (
    Answer, AuthorizationServer, Grant, Record, Seen, basic_of, challenge_of, oauth_error, with_query,
)  # fmt: skip

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"

# The resource


def protected(server: AuthorizationServer, seen: Seen) -> Answer:
    kind, _, word = seen.headers.get("authorization", "").partition(" ")
    token = server.access.get(word) if kind.lower() == "bearer" else None
    if token is None or token["ends"] <= server.now():
        return refusal(server, "invalid_token" if word else None)
    wanted = server.settings["call_scope"] if seen.place == "mcp:tools/call" else ""
    if not set(wanted.split()) <= set(token["scope"].split()):
        answer = Answer(403, {"error": "insufficient_scope"})
        answer.is_refusal = True
        answer.lines = [("WWW-Authenticate", f'Bearer error="insufficient_scope", scope="{wanted}"')]
        return answer
    return serve(server, seen)


def refusal(server: AuthorizationServer, error: str | None) -> Answer:
    answer = Answer(server.settings["refusal_status"], {"error": error or "unauthorized"})
    answer.is_refusal = True
    scope = " ".join(server.settings["prm_scopes"] or [])
    for line in server.settings["challenge"]:
        text = line.format(prm=server.prm_url, scope=scope, origin=server.origin)
        answer.lines.append(("WWW-Authenticate", text + (f', error="{error}"' if error else "")))
    return answer


TOOLS = [{"name": name, "inputSchema": {"type": "object"}} for name in ("echo", "count")]


def serve(server: AuthorizationServer, seen: Seen) -> Answer:
    message = seen.message
    if seen.method == "GET":
        return Answer(405, Allow="POST, DELETE")
    if seen.method == "DELETE" or not isinstance(message, dict):
        return Answer(200 if seen.method == "DELETE" else 400)
    if "id" not in message or "method" not in message:
        return Answer(202)
    result: Record | None = {}
    params = message.get("params") or {}
    match message["method"]:
        case "initialize":
            info = {"name": "guarded", "version": "1"}
            result = {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": info}
        case "tools/list":
            result = {"tools": TOOLS}
        case "tools/call":
            arguments = params.get("arguments") or {}
            server.counted[f"ran:{arguments.get('tag', '')}"] += 1
            result = {"content": [{"type": "text", "text": arguments.get("text", "fine")}]}
        case "ping":
            pass
        case _:
            result = None
    reply: Record = {"jsonrpc": "2.0", "id": message["id"]}
    if result is None:
        reply["error"] = {"code": -32601, "message": "Method not found"}
    else:
        reply["result"] = result
    return Answer(200, reply)


def resource_metadata(server: AuthorizationServer, seen: Seen) -> Answer:
    if seen.place.removeprefix("prm-") not in server.settings["prm_at"]:
        return Answer(404, {"error": "not_found"})
    document: Record = {
        "resource": server.settings["resource"] or server.url,
        "authorization_servers": server.settings["issuers"] or [server.issuer],
        "bearer_methods_supported": ["header"],
    }
    if server.settings["prm_scopes"] is not None:
        document["scopes_supported"] = server.settings["prm_scopes"]
    return Answer(200, document)


# The authorization server's metadata and clients


def server_metadata(server: AuthorizationServer, seen: Seen) -> Answer:
    if seen.place not in server.settings["as_at"]:
        return Answer(404, {"error": "not_found"})
    at = server.origin
    document: Record = {
        "issuer": server.issuer,
        "authorization_endpoint": f"{at}/authorize",
        "token_endpoint": f"{at}/token",
        "revocation_endpoint": f"{at}/revoke",
        "device_authorization_endpoint": f"{at}/device",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials", DEVICE],
        "token_endpoint_auth_methods_supported": server.settings["methods"],
        "scopes_supported": server.settings["scopes_supported"],
        "authorization_response_iss_parameter_supported": server.settings["iss"] is True,
    }
    if server.settings["registration"] != "closed":
        document["registration_endpoint"] = f"{at}/register"
    if server.settings["pkce"]:
        document["code_challenge_methods_supported"] = ["S256"]
    document.update(server.settings["as_metadata"])
    for member in server.settings["as_without"]:
        document.pop(member, None)
    return Answer(200, document)


def register(server: AuthorizationServer, seen: Seen) -> Answer:
    wish = seen.message
    if server.settings["registration"] == "closed" or not isinstance(wish, dict):
        raise oauth_error(403, "access_denied", "clients are registered by hand")
    if not wish.get("redirect_uris"):
        raise oauth_error(400, "invalid_redirect_uri")
    client = "client-" + secrets.token_hex(6)
    record = {**wish, "client_id": client, "client_id_issued_at": int(server.now())}
    method = wish.get("token_endpoint_auth_method", "client_secret_basic")
    if server.settings["registration"] == "secret" or method != "none":
        record |= {"client_secret": "cs-" + secrets.token_hex(16), "client_secret_expires_at": 0}
    server.clients[client] = record
    return Answer(201, record)


def client_of(server: AuthorizationServer, client: str | None) -> Record | None:
    if client in server.settings["clients"]:
        known = server.settings["clients"][client]
        return {"client_id": client, "client_secret": known.get("secret"), **known}
    return server.clients.get(client or "")


# Sign-in


def authorize(server: AuthorizationServer, seen: Seen) -> Answer:
    asked = seen.query
    client = client_of(server, asked.get("client_id"))
    if client is None:
        return Answer(400, "<h1>Unknown client</h1>")
    redirect = asked.get("redirect_uri", "")
    if redirect not in client.get("redirect_uris", [redirect]):
        return Answer(400, "<h1>This redirect URI is not registered</h1>")
    if asked.get("response_type") != "code":
        return back(server, asked, error="unsupported_response_type")
    if server.settings["pkce"] and asked.get("code_challenge_method") != "S256":
        return back(server, asked, error="invalid_request", error_description="PKCE is required")
    if server.settings["wants_resource"] and asked.get("resource") != (server.settings["resource"] or server.url):
        return back(server, asked, error="invalid_target")
    unknown = set(asked.get("scope", "").split()) - set(server.settings["scopes_supported"] or asked.get("scope", "").split())
    if unknown:
        return back(server, asked, error="invalid_scope")
    if server.settings["consent"] is not None:
        txn = secrets.token_hex(8)
        server.pending[txn] = asked
        return Answer(302, Location=f"/consent?txn={txn}")
    return allowed(server, asked)


def consent(server: AuthorizationServer, seen: Seen) -> Answer:
    if seen.method == "GET":
        page = f'<form method="post"><input type="hidden" name="txn" value="{seen.query.get("txn", "")}">'
        return Answer(200, page + '<input type="password" name="password"><button>Allow</button></form>')
    asked = server.pending.get(seen.form.get("txn", ""))
    if asked is None or seen.form.get("password") != server.settings["consent"]:
        return Answer(403, "<h1>Wrong password</h1>")
    del server.pending[seen.form["txn"]]
    return allowed(server, asked)


def allowed(server: AuthorizationServer, asked: Record) -> Answer:
    code = "code-" + secrets.token_urlsafe(16)
    server.codes[code] = asked
    return back(server, asked, code=code)


def back(server: AuthorizationServer, asked: Record, **said: str) -> Answer:
    iss = {True: server.issuer, False: None}.get(server.settings["iss"], server.settings["iss"])
    return Answer(302, Location=with_query(asked.get("redirect_uri", ""), **said, state=asked.get("state"), iss=iss))


# Tokens


def authenticated(server: AuthorizationServer, seen: Seen) -> Record:
    header = seen.headers.get("authorization", "")
    if header.lower().startswith("basic "):
        (name, secret), method = basic_of(header), "client_secret_basic"
        if "client_id" in seen.form or "client_secret" in seen.form:
            raise oauth_error(400, "invalid_request", "more than one way to authenticate")
    else:
        name, secret = seen.form.get("client_id"), seen.form.get("client_secret")
        method = "client_secret_post" if secret else "none"
    client = client_of(server, name)
    if client is None:
        raise oauth_error(401, "invalid_client", "unknown client")
    if method not in server.settings["methods"] and method != "none":
        raise oauth_error(401, "invalid_client", f"{method} is not taken")
    if (client.get("client_secret") or "") != (secret or ""):
        raise oauth_error(401, "invalid_client", "the secret is missing" if not secret else "not its secret")
    return client


def token(server: AuthorizationServer, seen: Seen) -> Answer:
    client = authenticated(server, seen)
    kinds: dict[str, Any] = {
        "authorization_code": code_grant, "refresh_token": refresh_grant,
        "client_credentials": client_grant, "device_code": device_grant,
    }  # fmt: skip
    kind = kinds.get(seen.place.partition(":")[2])
    if kind is None:
        raise oauth_error(400, "unsupported_grant_type")
    return Answer(200, kind(server, seen.form, client["client_id"]), Cache_Control="no-store")


def code_grant(server: AuthorizationServer, form: Record, client: str) -> Record:
    asked = server.codes.pop(form.get("code", ""), None)
    if asked is None or asked["client_id"] != client:
        raise oauth_error(400, "invalid_grant", "this code is not good")
    if form.get("redirect_uri") != asked.get("redirect_uri"):
        raise oauth_error(400, "invalid_grant", "another redirect URI")
    if "code_challenge" in asked and challenge_of(form.get("code_verifier", "")) != asked["code_challenge"]:
        raise oauth_error(400, "invalid_grant", "PKCE verification failed")
    if server.settings["wants_resource"] and form.get("resource") != asked.get("resource"):
        raise oauth_error(400, "invalid_target")
    grant = Grant(client, asked.get("scope", ""), asked.get("resource"))
    server.grants.append(grant)
    return server.make_tokens(grant)


def refresh_grant(server: AuthorizationServer, form: Record, client: str) -> Record:
    old = form.get("refresh_token", "")
    grant = next((each for each in server.grants if old in each.refresh), None)
    if grant is None or grant.client != client or grant.dead:
        raise oauth_error(400, "invalid_grant", "the refresh token is not good")
    if server.settings["wants_resource"] and form.get("resource") != grant.resource:
        raise oauth_error(400, "invalid_target")
    if not set(form.get("scope", "").split()) <= set(grant.scope.split()):
        raise oauth_error(400, "invalid_scope")
    if old != grant.refresh[-1]:
        if server.now() - grant.replaced_at[old] <= server.settings["grace"]:
            return successor(server, grant)
        grant.dead = "reuse"
        for each in grant.access:
            server.access.pop(each, None)
        raise oauth_error(400, "invalid_grant", "the refresh token was used before")
    if server.settings["rotates"]:
        grant.replaced_at[old] = server.now()
    return server.make_tokens(grant)


def successor(server: AuthorizationServer, grant: Grant) -> Record:
    """Within the time of grace: the same refresh token as was given for the first request."""
    newest = grant.refresh[-1]
    answer = server.make_tokens(grant)
    grant.refresh = [each for each in grant.refresh if each != answer.get("refresh_token")]
    return {**answer, "refresh_token": newest}


def client_grant(server: AuthorizationServer, form: Record, client: str) -> Record:
    grant = Grant(client, form.get("scope", "mcp"), form.get("resource"))
    server.grants.append(grant)
    answer = server.make_tokens(grant)
    grant.refresh.clear()
    answer.pop("refresh_token", None)
    return answer


def device(server: AuthorizationServer, seen: Seen) -> Answer:
    client = client_of(server, seen.form.get("client_id"))
    if client is None:
        raise oauth_error(401, "invalid_client")
    code = "device-" + secrets.token_hex(8)
    server.devices[code] = {"client_id": client["client_id"], "scope": seen.form.get("scope", ""), "verdict": None,
                            "resource": seen.form.get("resource"), "ends": server.now() + 600}  # fmt: skip
    told = {"device_code": code, "user_code": "ABCD-1234", "verification_uri": f"{server.origin}/activate",
            "expires_in": 600, "interval": server.settings["device_interval"]}  # fmt: skip
    return Answer(200, told)


def device_grant(server: AuthorizationServer, form: Record, client: str) -> Record:
    asked = server.devices.get(form.get("device_code", ""))
    if asked is None or asked["client_id"] != client:
        raise oauth_error(400, "invalid_grant")
    if asked["ends"] <= server.now():
        raise oauth_error(400, "expired_token")
    if asked["verdict"] is None:
        raise oauth_error(400, "authorization_pending")
    if asked["verdict"] == "denied":
        raise oauth_error(400, "access_denied")
    grant = Grant(client, asked["scope"], asked["resource"])
    server.grants.append(grant)
    return server.make_tokens(grant)


def revoke(server: AuthorizationServer, seen: Seen) -> Answer:
    word = seen.form.get("token", "")
    for grant in server.grants:
        if word in grant.refresh or word in grant.access:
            grant.dead = "revoked"
            for each in grant.access:
                server.access.pop(each, None)
    return Answer(200)


ROUTES = {
    "mcp": protected, "prm-path": resource_metadata, "prm-root": resource_metadata,
    "as-inserted": server_metadata, "openid-inserted": server_metadata, "openid-appended": server_metadata,
    "register": register, "authorize": authorize, "consent": consent, "token": token, "revoke": revoke, "device": device,
}  # fmt: skip
