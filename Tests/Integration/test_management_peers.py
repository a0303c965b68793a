"""Who may change what the bridge serves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from harness import Bridge, Bridges
from places import SUPPORT
from upstreams import MisbehavingUpstream, demo_upstream


@pytest.fixture
def bridge(bridges: Bridges) -> Bridge:
    """A bridge that the test may change."""
    bridge = bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    return bridge


@pytest.fixture
def extra(folder: Path) -> MisbehavingUpstream:
    return MisbehavingUpstream(folder, "extra")


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://127.0.0.1:6274"}, {"Authorization": "Bearer mcpb_wrong"}])
def test_changes_are_refused_over_tcp(bridge: Bridge, extra: MisbehavingUpstream, headers: dict[str, str]) -> None:
    body = json.dumps({"mcpServers": {"extra": extra.entry}}).encode()
    with bridge.http() as connection:
        fields = {"Content-Type": "application/json", **headers}
        assert connection.request("POST", "/servers", fields, body).status in (401, 403)
        assert connection.request("DELETE", "/servers/demo", headers).status in (401, 403)
    assert bridge.get("/servers").json() == {"servers": ["demo"]}
    assert not extra.received("initialize")


@pytest.mark.parametrize("name", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Via"])
def test_changes_are_refused_to_a_proxy_on_the_unix_socket(
    bridge: Bridge, extra: MisbehavingUpstream, name: str
) -> None:
    value = "1.1 proxy" if name == "Via" else "for=192.0.2.1" if name == "Forwarded" else "192.0.2.1"
    response = bridge.manage("POST", "/servers", {"mcpServers": {"extra": extra.entry}}, **{name: value})
    assert response.status in (401, 403)
    assert not extra.received("initialize")


def test_changes_are_refused_to_other_users_of_the_unix_socket(bridge: Bridge, extra: MisbehavingUpstream) -> None:
    """Another user may list and call, not change."""
    if os.getuid() != 0:
        pytest.skip("needs root to become somebody else")
    script = (
        "import os, sys, json; sys.path.insert(0, sys.argv[1]); body = sys.stdin.buffer.read();"
        "from http_raw import RawConnection; os.setgid(65534); os.setuid(65534);"
        "c = RawConnection(sys.argv[2]);"
        "post = c.request('POST', '/servers', {'Content-Type': 'application/json'}, body);"
        "print(json.dumps([post.status, c.request('GET', '/servers').status]))"
    )
    # Only the socket's own mode may stand in the way, and here that is what is being looked behind.
    for place in (bridge.folder, bridge.folder / "run", bridge.folder / "run/mcp-bridge"):
        place.chmod(0o755)
    Path(bridge.local_socket).chmod(0o666)
    done = subprocess.run(
        [sys.executable, "-c", script, str(SUPPORT), bridge.local_socket],
        input=json.dumps({"mcpServers": {"extra": extra.entry}}).encode(),
        capture_output=True,
        check=True,
    )
    posted, listed = json.loads(done.stdout)
    assert posted in (401, 403)
    assert listed == 200
    assert not extra.received("initialize")


def test_the_sockets_are_not_for_everybody(demo: Bridge) -> None:
    control = Path(demo.local_socket).with_name("control.sock")
    assert control.stat().st_mode & 0o077 == 0
    assert Path(demo.local_socket).stat().st_mode & 0o007 == 0
