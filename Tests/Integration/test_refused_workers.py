"""A worker that wants not to be started again (exit status 78) stays away until its configuration is another one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import beside
from harness import Bridge, Bridges
from preloaded import Preloaded
from replies import text_of
from upstreams import CountingUpstream, demo_upstream
from waiting import eventually


def phase(bridge: Bridge, name: str) -> str | None:
    """What `status` says of this worker."""
    said = beside(bridge, "status", "--json")
    workers = {worker["name"]: worker for worker in json.loads(said.out)["workers"]}
    found = workers[f"upstream@{name}"]["phase"]
    assert found is None or isinstance(found, str)
    return found


@pytest.mark.skipif(Preloaded.why_not() is not None, reason=str(Preloaded.why_not()))
def test_a_worker_that_refuses_waits_for_another_configuration(bridges: Bridges, folder: Path) -> None:
    """No configuration that the supervisor lets through makes a worker of today refuse: the library ends it so."""
    library = Preloaded(folder, "refusing_worker.c", FOLDER=folder)
    (folder / "refuse-odd").touch()
    odd, other = CountingUpstream(folder, "odd"), CountingUpstream(folder, "other")
    servers = {"demo": demo_upstream(), "odd": odd.entry, "other": other.entry}
    bridge = bridges.start(servers, ready="live", prefix=library.prefix)
    eventually(lambda: phase(bridge, "odd") == "refused", "the worker has refused")
    for name in ("demo", "other"):
        bridge.wait_upstream(name)
    starts = folder / "starts-odd"
    assert starts.stat().st_size == 1

    # Seen by people, and by programs.
    said = beside(bridge, "status")
    assert "refused" in next(line for line in said.out.splitlines() if line.startswith("odd")), said
    assert bridge.get("/health/ready").status == 503

    # What would help it is not there to be seen: it is not tried.
    (folder / "refuse-odd").unlink()
    assert beside(bridge, "reload").status == 0
    assert phase(bridge, "odd") == "refused"

    # Another server's configuration is not its own.
    servers["other"] = {**other.entry, "args": [*other.entry["args"], "--another"]}
    bridge.config = {"mcpServers": servers}
    bridge.write_config()
    assert beside(bridge, "reload").status == 0
    assert (phase(bridge, "odd"), starts.stat().st_size) == ("refused", 1)

    # Mended.
    servers["odd"] = {**odd.entry, "args": [*odd.entry["args"], "--mended"]}
    bridge.write_config()
    assert beside(bridge, "reload").status == 0
    bridge.wait_upstream("odd")
    assert (phase(bridge, "odd"), starts.stat().st_size) == ("ready", 2)
    client = bridge.client()
    bridge.wait_tool("odd.echo", client)
    assert text_of(client.call("odd.echo", {"text": "back"}).result) == "back"
    assert bridge.get("/health/ready").status == 200
