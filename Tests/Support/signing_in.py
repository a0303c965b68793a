"""Somebody who signs in: the command at a terminal, and a browser that follows wherever it is sent."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from command_line import LIMIT, Said, beside
from harness import Bridge, Bridges
from places import BINARY
from ports import free_port
from waiting import PATIENCE, eventually


class _Staying(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass
class Page:
    """Where a browser has ended."""

    url: str
    status: int
    body: str
    headers: dict[str, str]
    #: Every address that it was at.
    visited: list[str] = field(default_factory=list)


def browse(url: str, stop_before: str | None = None) -> Page:
    """Follows every redirect; with ``stop_before`` not to an address that begins so, which is where it ends then."""
    opener, visited = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Staying), [url]
    while True:
        if stop_before is not None and url.startswith(stop_before):
            return Page(url, 0, "", {}, visited)
        try:
            reply = opener.open(url, timeout=PATIENCE)
        except urllib.error.HTTPError as error:
            reply = error
        with reply:
            headers = {name.lower(): value for name, value in reply.headers.items()}
            if reply.status not in (301, 302, 303, 307, 308) or "location" not in headers:
                return Page(url, reply.status, reply.read().decode(), headers, visited)
        url = urllib.parse.urljoin(url, headers["location"])
        visited.append(url)


class SignIn:
    """`mcp-bridge auth NAME`, which has printed an address and waits."""

    def __init__(self, bridge: Bridge, name: str, *arguments: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [BINARY, "auth", name, *(arguments or ("--no-browser",))],
            env={**bridge.whole_environment(), **environment}, cwd=bridge.folder,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}

    def paste(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def end(self) -> Said:
        out, err = self.process.communicate(timeout=LIMIT)
        return Said(self.process.returncode, out, err)

    def browse(self) -> tuple[Page, Said]:
        """A browser does the rest."""
        if not self.url.startswith("http"):
            raise AssertionError(f"there is no address: {self.url} {self.end()}")
        page = browse(self.url)
        return page, self.end()


class Guarded(Protocol):
    """A server that asks for a bearer."""

    def entry(self, **oauth: Any) -> dict[str, Any]: ...


def guarded(
    bridges: Bridges, servers: Mapping[str, Guarded], oauth: dict[str, Any] | None = None, **options: Any
) -> Bridge:
    """A bridge with these servers, that has a port of its own for sign-ins."""
    own = {"signIn": {"port": free_port()}, **options.pop("bridge", {})}
    entries = {name: server.entry(**(oauth or {}).get(name, {})) for name, server in servers.items()}
    return bridges.make(entries, bridge=own, **options)


def begun(bridge: Bridge) -> Bridge:
    """Starts it, and waits until every worker can be asked about its sign-in."""
    bridge.start("live")

    def look() -> bool:
        found = json.loads(beside(bridge, "auth", "status", "--json").out)["upstreams"]
        return bool(found) and all("oauth" in each for each in found)

    eventually(look, "every worker tells of its sign-in")
    return bridge


def receiver(bridge: Bridge) -> str:
    assert bridge.config is not None
    return f"http://127.0.0.1:{bridge.config['bridge']['signIn']['port']}/callback"


def sign_in(bridge: Bridge, name: str) -> Said:
    """By a browser, to the end."""
    page, said = SignIn(bridge, name).browse()
    assert said.status == 0, (page, said)
    return said


def told(bridge: Bridge, name: str) -> dict[str, Any]:
    """A server's `oauth` as `auth status --json` has it."""
    said = beside(bridge, "auth", "status", "--json")
    found = next(each for each in json.loads(said.out)["upstreams"] if each["name"] == name)
    return dict(found.get("oauth") or {"state": found.get("text")})


def wait_told(bridge: Bridge, name: str, state: str) -> dict[str, Any]:
    return eventually(lambda: found if (found := told(bridge, name)).get("state") == state else None, f"{name} is {state}")
