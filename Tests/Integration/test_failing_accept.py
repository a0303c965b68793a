"""A process that cannot accept because it has no descriptor left: its listening socket rests, and serves again later."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Bridge, Bridges
from http_raw import RawConnection
from link_raw import RawLink
from preloaded import Preloaded
from upstreams import demo_upstream
from waiting import eventually

#: So long a listening socket rests after an attempt that failed (seconds).
PAUSE = 0.1
#: So many attempts are seen.
ATTEMPTS = 10

Ask = Callable[[contextlib.ExitStack], Callable[[], None]]


def over_http(address: tuple[str, int] | str) -> Ask:
    def ask(stack: contextlib.ExitStack) -> Callable[[], None]:
        connection = stack.enter_context(RawConnection(address))
        connection.send("GET", "/health/live")

        def is_answered() -> None:
            assert connection.read_response().status == 200

        return is_answered

    return ask


def over_a_link(path: Path) -> Ask:
    def ask(stack: contextlib.ExitStack) -> Callable[[], None]:
        link = stack.enter_context(RawLink(str(path)))
        link.send({"k": "hello", "x": 0, "h": {"link": "tests", "bulk": False}})

        def is_answered() -> None:
            assert link.receive()["k"] == "hello"

        return is_answered

    return ask


def listeners(bridge: Bridge) -> dict[str, Ask]:
    """Every listening socket that the bridge has, and how to see that it has accepted somebody."""
    run = bridge.folder / "run/mcp-bridge"
    paths = {path.name: path for path in run.glob("**/*") if path.is_socket() and path.name != "notify"}
    assert set(paths) == {"http.sock", "control.sock", "session.sock", "upstream-demo.sock"}
    links = {name: over_a_link(path) for name, path in paths.items() if name != "http.sock"}
    return {"http": over_http(bridge.address), "http.sock": over_http(bridge.local_socket), **links}


@pytest.mark.skipif(Preloaded.why_not() is not None, reason=str(Preloaded.why_not()))
def test_a_listener_without_descriptors_rests_and_then_serves(bridges: Bridges, folder: Path) -> None:
    """How often it tries is counted against the time that really went by: a slow machine makes it fewer times."""
    library = Preloaded(folder, "failing_accept.c", FOLDER=folder)
    bridge = bridges.start({"demo": demo_upstream()}, prefix=library.prefix)
    bridge.wait_upstream("demo")
    tree = bridge.tree()
    assert all(library.reaches(process) for process in tree), tree
    for name, ask in listeners(bridge).items():
        attempts, refused = folder / f"attempts-{name}", folder / f"refuse-{name}"
        attempts.touch()
        refused.touch()
        with contextlib.ExitStack() as stack:
            begun = time.monotonic()
            is_answered = ask(stack)
            eventually(lambda file=attempts: file.stat().st_size >= ATTEMPTS, f"{name} tries again")
            made, passed = attempts.stat().st_size, time.monotonic() - begun
            assert made <= 2 * (passed / PAUSE + 1), f"{name}: {made} attempts in {passed:.1f} s"
            refused.unlink()
            is_answered()
    assert bridge.tree() == tree
