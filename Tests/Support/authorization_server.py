"""A server of MCP that asks for a bearer, and the authorization server that gives it, in one: right, or as wrong as a test wants.

It does right by itself, as its ``settings`` say. Every answer can be another one: ``script`` has a list of them for each
place (`token:refresh_token`, `register`, `prm-path` …; see ``PLACES``), taken one after the other; one that has
`always` stays. An answer is a mapping:

    status, body, type, headers     what is sent in place of the right answer
    merge, without                  the right answer's JSON with members in their place, or without them
    act                             the right thing is done (a token rotated, a client made), whatever is answered
    delay, hold                     seconds before the answer; or until ``release``
    close_after                     so many bytes of the answer, then the connection ends; 0 is not a byte
    if                              a mapping of form or query members that the request must have

Used in the test's own process (``AuthorizationServer``), or as one of its own:

    python authorization_server.py PORT [SCRIPT.json]

where SCRIPT.json is what ``POST /control`` takes too: {"settings": {…}, "script": {place: [answer, …]}, "do": [verb]}.
``GET /control`` tells what has been asked and what is kept. What it answers by itself is in ``authorization_routes``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import socket
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from threaded_http import ThreadedHTTP

Record = dict[str, Any]

#: Every place whose answers a script can change.
PLACES = (
    "mcp", "mcp:refused", "mcp:initialize", "mcp:tools/list", "mcp:tools/call", "mcp:GET",
    "prm-path", "prm-root", "as-inserted", "openid-inserted", "openid-appended",
    "register", "authorize", "consent", "token", "token:authorization_code", "token:refresh_token",
    "token:client_credentials", "token:device_code", "revoke", "device",
)  # fmt: skip

SETTINGS: Record = {
    # The resource.
    "challenge": ['Bearer resource_metadata="{prm}", scope="{scope}"'],
    "refusal_status": 401,
    "resource": None,  # what the metadata says; the server's URL when absent
    "prm_at": ["path", "root"],
    "prm_scopes": ["mcp"],
    "issuers": None,  # of the metadata; this server's own when absent
    "call_scope": "mcp",  # what tools/call wants; else 403
    # The authorization server.
    "issuer_path": "",
    "issuer": None,  # what its metadata and its redirects say
    "as_at": ["as-inserted", "openid-inserted", "openid-appended"],
    "as_metadata": {},
    "as_without": [],
    "scopes_supported": ["mcp", "offline_access", "admin"],
    "registration": "open",  # open, secret, closed
    "clients": {},  # client id: {"secret", "redirect_uris", "method"}
    "methods": ["none", "client_secret_post", "client_secret_basic"],
    "any_port": False,
    "pkce": True,
    "iss": True,  # whether redirects say it: true, false, or what they say
    "consent": None,  # a password: the owner is asked on a page
    "wants_resource": True,
    # Tokens.
    "life": 3600,  # or several: of each token in turn, and of all others the last
    "expires_in": "life",  # or any value; null: not said
    "gives_refresh_token": True,
    "rotates": True,
    "grace": 0,
    "device_interval": 1,
}


@dataclass
class Seen:
    """One request as it came."""

    place: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    form: dict[str, str]
    message: Any
    #: Whether its answer is kept until ``release``.
    held: bool = False


@dataclass
class Grant:
    """What an owner has allowed, and the tokens that came of it."""

    client: str
    scope: str
    resource: str | None
    refresh: list[str] = field(default_factory=list)
    access: list[str] = field(default_factory=list)
    replaced_at: dict[str, float] = field(default_factory=dict)
    dead: str | None = None


class Answer(Exception):
    """An answer; raised where it ends what is under way."""

    def __init__(self, status: int, body: Any = b"", **headers: str) -> None:
        super().__init__(status)
        self.status, self.headers = status, {k.replace("_", "-"): v for k, v in headers.items()}
        self.lines: list[tuple[str, str]] = []
        #: That no good token came.
        self.is_refusal = False
        self.type = "application/json"
        if isinstance(body, str):
            self.body, self.type = body.encode(), "text/html; charset=utf-8"
        else:
            self.body = body if isinstance(body, bytes) else json.dumps(body).encode()


def oauth_error(status: int, code: str, text: str = "") -> Answer:
    return Answer(status, {"error": code, **({"error_description": text} if text else {})}, Cache_Control="no-store")


class AuthorizationServer:
    def __init__(self, port: int = 0, **settings: Any) -> None:
        self.settings: Record = {**SETTINGS, **settings}
        self.script: dict[str, list[Record]] = {}
        self.port = port
        self.seen: list[Seen] = []
        self.counted: Counter[str] = Counter()
        self.clients: dict[str, Record] = {}
        self.codes: dict[str, Record] = {}
        self.pending: dict[str, Record] = {}
        self.devices: dict[str, Record] = {}
        self.grants: list[Grant] = []
        self.access: dict[str, Record] = {}
        self.offset = 0.0
        self._lock = threading.RLock()
        self._grew = threading.Condition(self._lock)
        self._thawed, self._released = threading.Event(), threading.Event()
        self._thawed.set()
        self.start()

    # Life

    def start(self) -> None:
        self._http = ThreadedHTTP(self._take, port=self.port)
        self.port = self._http.port

    def stop(self) -> None:
        """As when its process is killed. What it knows stays for ``start``."""
        self._http.stop()

    def freeze(self) -> None:
        """Takes requests, and says nothing until ``thaw``."""
        self._thawed.clear()

    def thaw(self) -> None:
        self._thawed.set()

    def release(self) -> None:
        """Lets every answer go that is held."""
        self._released.set()

    # Names of its places

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/mcp"

    @property
    def issuer(self) -> str:
        return self.settings["issuer"] or self.origin + self.settings["issuer_path"]

    @property
    def prm_url(self) -> str:
        return f"{self.origin}/.well-known/oauth-protected-resource/mcp"

    def entry(self, **oauth: Any) -> Record:
        """A server entry for it."""
        return {"type": "http", "url": self.url, **({"oauth": oauth} if oauth else {})}

    # What a test does to it

    def next(self, place: str, *answers: Record) -> None:
        """These answers come next at a place."""
        assert place in PLACES or place.startswith("mcp:"), place
        with self._lock:
            self.script.setdefault(place, []).extend(answers)

    def always(self, place: str, **answer: Any) -> None:
        with self._lock:
            self.script[place] = [{**answer, "always": True}]

    def well(self, place: str | None = None) -> None:
        """The right answers again, at one place or at all."""
        with self._lock:
            self.script.pop(place, None) if place else self.script.clear()

    def now(self) -> float:
        return time.time() + self.offset

    def forget_access(self) -> None:
        """Every access token is worth nothing from now on."""
        self.access.clear()

    def kill_grants(self, why: str = "revoked") -> None:
        for grant in self.grants:
            grant.dead = grant.dead or why
        self.access.clear()

    def forget_clients(self) -> None:
        self.clients.clear()

    def approve_devices(self, denied: bool = False) -> None:
        for device in self.devices.values():
            device["verdict"] = "denied" if denied else "approved"

    def requests(self, place: str) -> list[Seen]:
        """By the place, or by its beginning: `token` is every request for tokens."""
        return [each for each in list(self.seen) if each.place == place or each.place.startswith(place + ":")]

    def wait(self, place: str, count: int = 1, within: float = 60) -> list[Seen]:
        with self._grew:
            assert self._grew.wait_for(lambda: len(self.requests(place)) >= count, within), f"not {count} × {place}"
            return self.requests(place)

    def wait_held(self, place: str) -> int:
        """The number of the first request at a place whose answer is held; those before it were answered as they came."""

        def found() -> int | None:
            return next((number for number, each in enumerate(self.requests(place)) if each.held), None)

        with self._grew:
            number = self._grew.wait_for(lambda: None if (at := found()) is None else (at,), 60)
            assert number, f"none is held at {place}"
            return number[0]

    def control(self, what: Record) -> None:
        """What ``POST /control`` says."""
        self.settings.update(what.get("settings", {}))
        for place, answers in what.get("script", {}).items():
            self.script[place] = list(answers)
        self.offset += what.get("clock", 0)
        for verb in what.get("do", []):
            assert verb in {"freeze", "thaw", "release", "well", "forget_access", "kill_grants", "forget_clients", "approve_devices"}
            getattr(self, verb)()

    # A request and its answer

    def _take(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        url = urlsplit(handler.path)
        if url.path == "/control":
            return self._send(handler, self._controlled(body), {})
        headers = {k.lower(): v for k, v in handler.headers.items()}
        is_form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        form = {k: v[0] for k, v in parse_qs(body.decode(), True).items()} if is_form else {}
        message = None
        if body and not is_form:
            try:
                message = json.loads(body)
            except ValueError:
                pass
        query = {k: v[0] for k, v in parse_qs(url.query, True).items()}
        seen = Seen(self._place(handler.command, url.path, form, message), handler.command, handler.path, query, headers, form, message)
        with self._grew:
            rule = self._rule(seen)
            seen.held = bool(rule.get("hold"))
            self.seen.append(seen)
            self.counted[seen.place] += 1
            self._grew.notify_all()
        self._thawed.wait()
        if rule.get("delay"):
            time.sleep(rule["delay"])
        right = {"merge", "without"} & rule.keys() or rule.get("act") or not {"status", "body"} & rule.keys()
        answer = self._right(seen) if right else Answer(200)
        if answer.is_refusal and (refused := self._rule(seen, "mcp:refused")):
            rule = refused
        if rule.get("hold"):
            self._released.wait()
        self._send(handler, self._bent(answer, rule), rule)

    def _rule(self, seen: Seen, only: str | None = None) -> Record:
        with self._lock:
            for place in [only] if only else [seen.place, seen.place.split(":")[0]]:
                for rule in self.script.get(place, []):
                    wanted = rule.get("if", {})
                    if all((seen.form | seen.query).get(k) == v for k, v in wanted.items()):
                        if not rule.get("always"):
                            self.script[place].remove(rule)
                        return rule
        return {}

    def _bent(self, answer: Answer, rule: Record) -> Answer:
        if {"merge", "without"} & rule.keys() and answer.body:
            document = json.loads(answer.body)
            document.update(rule.get("merge", {}))
            for member in rule.get("without", []):
                document.pop(member, None)
            answer.body = json.dumps(document).encode()
        if "body" in rule:
            made = Answer(200, rule["body"])
            answer.body, answer.type = made.body, made.type
        elif "status" in rule and not rule.get("merge"):
            answer.body = b""
        answer.status = rule.get("status", answer.status)
        answer.type = rule.get("type", answer.type)
        answer.headers.update(rule.get("headers", {}))
        return answer

    def _send(self, handler: BaseHTTPRequestHandler, answer: Answer, rule: Record) -> None:
        lines = [f"HTTP/1.1 {answer.status} Status", f"Content-Length: {len(answer.body)}"]
        if answer.body and answer.type:
            lines.append(f"Content-Type: {answer.type}")
        lines += [f"{k}: {v}" for k, v in [*answer.headers.items(), *answer.lines]]
        data = "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if handler.command == "HEAD" else answer.body)
        handler.wfile.write(data[: rule["close_after"]] if "close_after" in rule else data)
        handler.wfile.flush()
        if "close_after" in rule:
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)

    def _controlled(self, body: bytes) -> Answer:
        if body:
            self.control(json.loads(body))
        told = {"counted": dict(self.counted), "seen": [vars(each) for each in self.seen], "grants": [vars(each) for each in self.grants],
                "clients": self.clients, "issuer": self.issuer, "url": self.url}  # fmt: skip
        return Answer(200, told)

    def _place(self, method: str, path: str, form: Record, message: Any) -> str:
        tenant = self.settings["issuer_path"].rstrip("/")
        match path:
            case "/mcp":
                return f"mcp:{message.get('method', 'answer')}" if isinstance(message, dict) else f"mcp:{method}"
            case "/.well-known/oauth-protected-resource/mcp":
                return "prm-path"
            case "/.well-known/oauth-protected-resource":
                return "prm-root"
            case "/token":
                return f"token:{form.get('grant_type', '').rpartition(':')[2]}"
            case "/register" | "/authorize" | "/consent" | "/revoke" | "/device":
                return path[1:]
        if path.rstrip("/") == f"/.well-known/oauth-authorization-server{tenant}":
            return "as-inserted"
        if path.rstrip("/") == f"/.well-known/openid-configuration{tenant}":
            return "openid-inserted"
        if tenant and path == f"{tenant}/.well-known/openid-configuration":
            return "openid-appended"
        return f"other:{path}"

    def _right(self, seen: Seen) -> Answer:
        from authorization_routes import ROUTES

        with self._lock:
            try:
                route = ROUTES.get(seen.place.split(":")[0])
                return route(self, seen) if route else Answer(404, {"error": "not_found"})
            except Answer as answer:
                return answer

    # What is made

    def make_tokens(self, grant: Grant, resource: str | None = None) -> Record:
        life = self.settings["life"]
        if isinstance(life, list):
            life = life.pop(0) if len(life) > 1 else life[0]
        token = "at-" + secrets.token_urlsafe(24)
        grant.access.append(token)
        self.access[token] = {"ends": self.now() + life, "grant": grant, "scope": grant.scope, "resource": resource or grant.resource}
        answer: Record = {"access_token": token, "token_type": "Bearer", "scope": grant.scope}
        if (said := self.settings["expires_in"]) is not None:
            answer["expires_in"] = life if said == "life" else said
        if self.settings["gives_refresh_token"] and (self.settings["rotates"] or not grant.refresh):
            grant.refresh.append("rt-" + secrets.token_urlsafe(24))
            answer["refresh_token"] = grant.refresh[-1]
        return answer


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def basic_of(header: str) -> tuple[str, str]:
    user, _, password = base64.b64decode(header.split()[1]).decode().partition(":")
    return unquote(user), unquote(password)


def with_query(url: str, **members: str | None) -> str:
    return url + ("&" if "?" in url else "?") + urlencode({k: v for k, v in members.items() if v is not None})


if __name__ == "__main__":
    sys.modules["authorization_server"] = sys.modules["__main__"]
    server = AuthorizationServer(int(sys.argv[1]))
    if len(sys.argv) > 2:
        with open(sys.argv[2], encoding="utf-8") as file:
            server.control(json.load(file))
    print(server.url, flush=True)
    threading.Event().wait()
