"""A worker that is killed in a refresh, at each point where the disk is changed: the next one goes on with a good token.

A library of the tests' own holds the process there, so that it is killed at that point and no other.
"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from authorization_server import AuthorizationServer
from harness import Bridges
from preloaded import Preloaded
from replies import text_of
from signing_in import guarded, sign_in, told
from waiting import eventually

pytestmark = pytest.mark.skipif(Preloaded.why_not() is not None, reason=str(Preloaded.why_not()))

#: Of access tokens, in seconds. They are refreshed at half of it.
LIFE = 10
#: By the ending of the file that is about to be put there or taken away.
POINTS = {
    "the lock": "rename.intent",
    "the answer": "rename.answer",
    "the answer is kept": "rename.json",
    "the commit": "unlink.answer",
    "the answer is cleared away": "unlink.intent",
}


@pytest.mark.parametrize("after", POINTS)
def test_a_worker_that_is_killed_there_costs_nobody_a_sign_in(bridges: Bridges, folder: Path, after: str) -> None:
    # An answer that is lost is had again within this; any other token that is shown twice ends the whole family.
    server = AuthorizationServer(life=LIFE, grace=60 if after == "the answer" else 0)
    library = Preloaded(folder, "held_files.c", FOLDER=folder)
    bridge = guarded(bridges, {"s": server}, prefix=library.prefix).start("live")
    sign_in(bridge, "s")
    bridge.wait_upstream("s")
    assert library.reaches(bridge.worker("upstream s"))
    (path,) = (bridge.state / "oauth").glob("*.json")

    def state() -> Any:
        return json.loads(path.read_text())

    def shown() -> list[str]:
        return [seen.form["refresh_token"] for seen in server.requests("token:refresh_token")]

    hold, held = folder / f"hold-{POINTS[after]}", folder / "held"
    hold.touch()
    pid = int(eventually(lambda: held.exists() and held.read_text().strip() or None, "it is held there"))
    assert pid == bridge.worker("upstream s").pid
    there = state()
    # Before the answer is in the state, that has a refresh token which may be used up; afterwards its successor.
    assert (there["tokens"]["refresh_token"] in shown()) == (after in ("the answer", "the answer is kept"))
    kept = {ending for ending in ("intent", "answer") if path.with_suffix(f".{ending}").exists()}
    assert kept == {"the lock": set(), "the answer is kept": {"intent", "answer"}, "the commit": {"intent", "answer"}}.get(after, {"intent"})
    hold.unlink()
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: state()["generation"] > there["generation"], "the next one goes on")
    again = len(shown()) - len(set(shown()))
    assert again == (1 if after == "the answer" else 0), "what has been answered is asked for by nobody"
    bridge.wait_upstream("s")
    assert text_of(bridge.client().call("s.echo", {"text": "hello"}).result) == "hello"
    assert told(bridge, "s")["state"] in ("ok", "due")
    assert not server.grants[-1].dead and len(server.requests("authorize")) == 1
    server.stop()
