"""The official SDK with a token: over HTTP, over `mcp-bridge stdio`, and through a real nginx. Nothing from there is local."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import Bridge, Bridges
from http_raw import RawConnection
from nginx import NGINX, Nginx
from places import BINARY
from sdk_runner import GENERATIONS, ScenarioFailed, SDKRunner
from tokens import bearer, create, create_known, revoke
from upstreams import demo_upstream

needs_nginx = pytest.mark.skipif(NGINX is None, reason="no nginx on this machine (apt-get install nginx)")
#: By which the SDK reaches the bridge.
WAYS = [
    "HTTP", "HTTP with x-api-key", "stdio with the variable", "stdio with a file", "stdio at an address",
    pytest.param("HTTP through nginx", marks=needs_nginx), pytest.param("stdio through nginx", marks=needs_nginx),
]  # fmt: skip
Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def public(shared_bridges: Bridges) -> Bridge:
    """A bridge where everybody needs a token."""
    bridge = shared_bridges.start(
        {"demo": demo_upstream(), "other": demo_upstream()},
        bridge={"publicURL": "https://bridge.example.org"},
        ready="live",
    )
    create(bridge, "mcp")
    return bridge


@pytest.fixture(scope="module")
def at_home(shared_bridges: Bridges) -> Bridge:
    """A bridge where only others need one, as it is by default."""
    bridge = shared_bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    return bridge


@pytest.fixture(scope="module")
def nginx(public: Bridge, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx | None]:
    """In front of the public bridge; None where there is no nginx."""
    if NGINX is None:
        yield None
    else:
        with Nginx(public, tmp_path_factory.mktemp("nginx")) as nginx:
            yield nginx


@pytest.fixture(params=GENERATIONS)
def runner(request: pytest.FixtureRequest, runners: dict[str, SDKRunner]) -> tuple[SDKRunner, str]:
    generation, mode = request.param
    return runners[generation], mode


def way_of(way: str, bridge: Bridge, nginx: Nginx | None, secret: str | None, folder: Path) -> tuple[str, dict[str, Any]]:
    """The address for the SDK, and its further options."""
    through = f"http://127.0.0.1:{nginx.ways['telling TCP']}/mcp" if nginx is not None else ""
    if way.startswith("HTTP"):
        name, value = ("x-api-key", secret) if way.endswith("x-api-key") else ("Authorization", f"Bearer {secret}")
        return through if way.endswith("nginx") else bridge.url, {"headers": {name: value} if secret else {}}
    environment, command = bridge.whole_environment(), f"stdio:{BINARY} stdio"
    if secret is not None and way.endswith("file"):
        (folder / "token").write_text(secret + "\n", encoding="ascii")
        (folder / "token").chmod(0o600)
        command += f" --token-file {folder / 'token'}"
    elif secret is not None:
        environment["MCP_BRIDGE_TOKEN"] = secret
    if way.endswith("address"):
        command += f" --url {bridge.url}"
    elif way.endswith("nginx"):
        command += f" --url {through}"
    return command, {"environment": environment}


@pytest.mark.parametrize("way", WAYS)
def test_the_sdk_uses_with_a_token_what_the_token_lets_it(
    way: str, runner: tuple[SDKRunner, str], public: Bridge, nginx: Nginx | None, folder: Path
) -> None:
    sdk, mode = runner
    url, options = way_of(way, public, nginx, create(public, "server:demo"), folder)
    tools = [tool["name"] for tool in sdk.run("list_tools", url, mode, **options)["tools"]]
    assert "demo.echo" in tools and not any(name.startswith("other.") for name in tools)
    (result,) = sdk.run("call", url, mode, calls=[["demo.echo", {"text": "héllo"}]], **options)["results"]
    assert result["content"][0]["text"] == "héllo"
    told = sdk.run("progress", url, mode, tool="demo.sleep", arguments={"seconds": 0.2, "steps": 2}, **options)
    assert told["told"], "what streams comes through, too"
    (outcome,) = sdk.run("errors", url, mode, calls=[["other.echo", {"text": "x"}]], **options)["outcomes"]
    assert outcome["error"]["data"]["code"] == "not_granted", outcome


@pytest.mark.parametrize("way", WAYS)
def test_the_sdk_is_let_in_neither_without_a_token_nor_with_one_that_has_ended(
    way: str, runner: tuple[SDKRunner, str], public: Bridge, nginx: Nginx | None, folder: Path
) -> None:
    sdk, mode = runner
    ended, known = create_known(public, "mcp")
    revoke(public, known["id"])
    for secret in (None, ended):
        url, options = way_of(way, public, nginx, secret, folder)
        with pytest.raises(ScenarioFailed):
            sdk.run("list_tools", url, mode, **options)


def test_the_older_transport_takes_a_token_as_well(public: Bridge, runners: dict[str, SDKRunner]) -> None:
    headers = {"Authorization": f"Bearer {create(public, 'server:demo')}"}
    tools = runners["1"].run("list_tools", public.url.replace("/mcp", "/sse"), "legacy", headers=headers)["tools"]
    assert {tool["name"].split(".")[0] for tool in tools} == {"demo"}


# Nothing that comes through it is local

ROUTES = [
    ("GET", "/", 200), ("GET", "/tools", 200), ("GET", "/servers", 200), ("GET", "/health/ready", 200),
    ("GET", "/metrics", 200), ("POST", "/servers", 403), ("DELETE", "/servers/demo", 403), ("POST", "/mcp", 200),
    ("GET", "/mcp", 400), ("GET", "/nothing", 404),
]  # fmt: skip
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


def is_never_local(bridge: Bridge, port: int) -> None:
    secret = create(bridge, "mcp")
    for method, path, status in ROUTES:
        for token, wanted in ((None, 401), (secret, status)):
            fields = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
            body = json.dumps(INITIALIZE).encode() if method == "POST" else None
            with contextlib.closing(RawConnection(("127.0.0.1", port))) as connection:
                told = connection.request(method, path, {**fields, **(bearer(token) if token else {})}, body)
            assert told.status == wanted, (method, path, token is not None, told)
    for path, body in (("/health", {"ok": True}), ("/health/live", {"live": True})):
        with contextlib.closing(RawConnection(("127.0.0.1", port))) as connection:
            assert connection.request("GET", path).json() == body


@needs_nginx
@pytest.mark.parametrize("target", ["TCP", "socket"])
def test_what_comes_through_an_nginx_that_tells_of_its_clients_is_never_local(
    target: str, at_home: Bridge, tmp_path: Path
) -> None:
    with Nginx(at_home, tmp_path) as nginx:
        is_never_local(at_home, nginx.ways[f"telling {target}"])
    assert at_home.get("/tools").status == 200, "beside it, this machine is local"


@needs_nginx
@pytest.mark.parametrize("way", ["telling TCP", "silent TCP", "telling socket", "silent socket"])
def test_where_anything_public_is_configured_a_silent_nginx_makes_nobody_local(
    way: str, public: Bridge, nginx: Nginx
) -> None:
    is_never_local(public, nginx.ways[way])
