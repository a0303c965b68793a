"""Ending: a worker that takes its time, a change that nobody will see through, the last calls."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

from harness import Bridges
from http_raw import ConnectionEnded, Response
from processes import ProcessWatch
from upstreams import CountingUpstream, MisbehavingUpstream, demo_upstream
from waiting import PATIENCE, eventually

SLOW = 6
#: So long after the start, no worker has given a sign of life for almost as long as it may be between two: the watch over
#: one that says nothing while it ends has the least left. Time is the subject: the test waits (seconds).
ALMOST_DUE = 3.3


def test_a_worker_that_is_slow_to_end_does_not_hang(bridges: Bridges, folder: Path) -> None:
    """6 s for its call, then 2.5 s for a process that heeds neither the end of its input nor SIGTERM."""
    slow = [
        MisbehavingUpstream(folder, f"slow{number}", "--grandchild", str(folder / f"{number}.pid"))
        for number in range(SLOW)
    ]
    begun = time.monotonic()
    bridge = bridges.start({"demo": demo_upstream(), **{each.name: each.entry for each in slow}})
    for each in slow:
        bridge.wait_upstream(each.name)
    gate = folder / "gate"
    os.mkfifo(gate)
    client = bridge.client()
    streams = []
    for each in slow:
        stream = client.open_call(each.tool("hold"), {"gate": str(gate)}, progress_token=each.name)
        stream.wait_for("notifications/progress")
        streams.append(stream)
    workers = [bridge.worker(f"upstream {each.name}") for each in slow]
    with ProcessWatch(workers) as watch:
        assert bridge.config is not None
        bridge.config["mcpServers"] = {"demo": demo_upstream()}
        bridge.write_config()
        # The age of the worker's last sign of life is what is tested, and nothing announces it.
        time.sleep(max(0.0, begun + ALMOST_DUE - time.monotonic()))
        os.kill(bridge.supervisor.pid, signal.SIGHUP)
        assert watch.wait_until_all_ended(PATIENCE)
    for stream in streams:
        stream.close()
    bridge.wait_logged("Configuration reloaded")
    hung = [line for line in bridge.log if "Worker hangs" in line]
    assert not hung, hung


def test_a_stop_answers_a_change_that_still_waits(bridges: Bridges, folder: Path) -> None:
    """At once, and not when the time for the last calls is over, which is longer here than a test waits."""
    gate = folder / "gate"
    os.mkfifo(gate)
    silent = MisbehavingUpstream(folder, "silent", "--start-gate", str(gate))
    bridge = bridges.start({"demo": demo_upstream()}, bridge={"drainTimeout": "10m"})
    responses: list[Response] = []

    def post() -> None:
        servers = {"silent": {**silent.entry, "timeouts": {"connect": "10m"}}}
        responses.append(bridge.manage("POST", "/servers", {"mcpServers": servers}))

    posting = threading.Thread(target=post, daemon=True)
    posting.start()
    bridge.upstream_child("silent")
    assert bridge.stop() == 0
    posting.join(PATIENCE)
    (response,) = responses
    assert response.status == 503 and "draining" in response.json()["error"], response
    bridge.start()
    assert bridge.get("/servers").json() == {"servers": ["demo"]}


def test_a_time_for_the_last_calls_below_a_second_is_no_second_less(bridges: Bridges, folder: Path) -> None:
    """A call of 100 ms has most of a second to spare. A busy machine may take it; six times it does not."""
    counting = CountingUpstream(folder, "counting")
    answered: list[bool] = []
    for number in range(6):
        bridge = bridges.start({"counting": counting.entry}, bridge={"drainTimeout": "999ms"})
        bridge.wait_upstream("counting")
        client, tag = bridge.client(), f"last{number}"

        def call() -> None:
            try:
                answered.append("result" in client.call(counting.tool, {"tag": tag, "ms": 100}).message)
            except (OSError, ConnectionEnded):
                answered.append(False)

        calling = threading.Thread(target=call, daemon=True)
        calling.start()
        eventually(lambda: counting.counts().get(tag) == 1, "the call runs")
        bridge.stop()
        calling.join(PATIENCE)
        if any(answered):
            return
    raise AssertionError(f"never answered: {answered}")
