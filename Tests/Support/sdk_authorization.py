"""A server of the official SDK, of either generation, with the SDK's own routes for authorization: `PORT PASSWORD [SETTINGS]`.

The SDK has metadata, registration, the token endpoint and revocation; who is asked, and what is kept, is each server's own
(a provider): here a page `/consent` with a password, and memory that is gone with the process. SETTINGS is a JSON object:
`life` of access tokens in seconds, and the `iss` that redirects say (none by itself). ``GET /control`` tells what is kept.
"""

from __future__ import annotations

import importlib.metadata
import json
import secrets
import sys
import time
from typing import Any

from mcp.server.auth.provider import AccessToken, AuthorizationCode, RefreshToken, construct_redirect_uri
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions, RevocationOptions
from mcp.shared.auth import OAuthToken
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

V1 = importlib.metadata.version("mcp").startswith("1.")
if V1:
    from mcp.server.fastmcp import FastMCP as Server
else:
    from mcp.server.mcpserver import MCPServer as Server

PORT, PASSWORD = int(sys.argv[1]), sys.argv[2]
SETTINGS: dict[str, Any] = {"life": 3600, "iss": None, **json.loads(sys.argv[3] if len(sys.argv) > 3 else "{}")}
ORIGIN = f"http://127.0.0.1:{PORT}"
PAGE = '<form method="post"><input type="hidden" name="txn" value="{}"><input type="password" name="password"><button>Allow</button></form>'


class Provider:
    """As in the SDK's own examples, with rotation."""

    def __init__(self) -> None:
        self.clients: dict[str, Any] = {}
        self.pending: dict[str, tuple[str, Any]] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.access: dict[str, AccessToken] = {}
        self.refresh: dict[str, RefreshToken] = {}
        #: Refresh tokens, in the order in which they were used.
        self.used: list[str] = []
        self.revoked: list[str] = []

    async def get_client(self, client_id: str) -> Any:
        return self.clients.get(client_id)

    async def register_client(self, client_info: Any) -> None:
        self.clients[client_info.client_id] = client_info

    async def authorize(self, client: Any, params: Any) -> str:
        transaction = secrets.token_hex(16)
        self.pending[transaction] = (client.client_id, params)
        return f"{ORIGIN}/consent?txn={transaction}"

    def allowed(self, transaction: str) -> str:
        """Where the browser goes on to, once the owner has said yes."""
        client_id, params = self.pending.pop(transaction)
        code = secrets.token_urlsafe(32)
        self.codes[code] = AuthorizationCode(
            code=code, client_id=client_id, scopes=params.scopes or [], expires_at=time.time() + 60,
            code_challenge=params.code_challenge, redirect_uri=params.redirect_uri, resource=params.resource,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly)  # fmt: skip
        return construct_redirect_uri(str(params.redirect_uri), code=code, state=params.state, iss=SETTINGS["iss"])

    async def load_authorization_code(self, client: Any, authorization_code: str) -> Any:
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(self, client: Any, authorization_code: Any) -> OAuthToken:
        del self.codes[authorization_code.code]
        return self.issue(client.client_id, authorization_code.scopes, authorization_code.resource)

    async def load_refresh_token(self, client: Any, refresh_token: str) -> Any:
        return self.refresh.get(refresh_token)

    async def exchange_refresh_token(self, client: Any, refresh_token: Any, scopes: list[str]) -> OAuthToken:
        self.used.append(refresh_token.token)
        del self.refresh[refresh_token.token]
        return self.issue(client.client_id, scopes, refresh_token.resource)

    async def load_access_token(self, token: str) -> Any:
        return self.access.get(token)

    async def revoke_token(self, token: Any) -> None:
        self.revoked.append(token.token)
        for kept in (self.access, self.refresh):
            for each in [word for word, other in kept.items() if other.client_id == token.client_id]:
                del kept[each]

    def issue(self, client_id: str, scopes: list[str], resource: str | None) -> OAuthToken:
        life, access, refresh = SETTINGS["life"], secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        more = {"client_id": client_id, "scopes": scopes, "resource": resource}
        self.access[access] = AccessToken(token=access, expires_at=int(time.time()) + life, **more)
        self.refresh[refresh] = RefreshToken(token=refresh, **more)
        return OAuthToken(access_token=access, expires_in=life, refresh_token=refresh, scope=" ".join(scopes))


provider = Provider()
auth = AuthSettings(
    issuer_url=ORIGIN, resource_server_url=f"{ORIGIN}/mcp", required_scopes=["mcp"], validate_token_resource=True,
    client_registration_options=ClientRegistrationOptions(enabled=True, valid_scopes=["mcp"], default_scopes=["mcp"]),
    revocation_options=RevocationOptions(enabled=True),
)  # fmt: skip
address = {"host": "127.0.0.1", "port": PORT}
server: Any = Server("guarded", auth_server_provider=provider, auth=auth, log_level="WARNING", **(address if V1 else {}))


@server.tool()
async def echo(text: str) -> str:
    return text


@server.custom_route("/consent", methods=["GET", "POST"])
async def consent(request: Any) -> Response:
    if request.method == "GET":
        return HTMLResponse(PAGE.format(request.query_params.get("txn", "")))
    form = await request.form()
    if form.get("password") != PASSWORD or form.get("txn") not in provider.pending:
        return HTMLResponse("Wrong password", 403)
    return RedirectResponse(provider.allowed(form["txn"]), 303)


@server.custom_route("/control", methods=["GET"])
async def control(_: Any) -> Response:
    clients = {client: each.model_dump(mode="json") for client, each in provider.clients.items()}
    kept = {"access": list(provider.access), "refresh": list(provider.refresh), "clients": clients}
    return JSONResponse({"used": provider.used, "revoked": provider.revoked, **kept})


if __name__ == "__main__":
    server.run("streamable-http", **({} if V1 else address))
