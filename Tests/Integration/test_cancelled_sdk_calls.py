"""Calls that the official Python SDK cancels, both generations: it is not bothered, and does not come back for ever."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from harness import Bridge
from recorder import Recorded, Recorder
from sdk_runner import GENERATIONS, LIMIT, SDKRunner
from upstreams import MisbehavingUpstream
from waiting import eventually

#: What has been said of the call when it is cancelled.
SAID = ["nothing", "progress", "priming"]


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("said", SAID)
def test_a_client_that_cancels_is_left_in_peace(
    demo_and_bad: Bridge,
    misbehaving: MisbehavingUpstream,
    runners: dict[str, SDKRunner],
    folder: Path,
    generation: tuple[str, str],
    said: str,
) -> None:
    number, mode = generation
    calls, told = len(misbehaving.received("tools/call")), len(misbehaving.received("notifications/cancelled"))
    when = folder / "when"
    facts: dict[str, Any] = {}
    with Recorder(demo_and_bad.address) as recorder:

        def client() -> None:
            options = {"tool": "bad.never", "then": "bad.echo", "when": str(when), "progress": said == "progress"}
            facts.update(runners[number].run("cancelled", recorder.url, mode, **options))

        running = threading.Thread(target=client, daemon=True)
        running.start()
        misbehaving.wait_received("tools/call", calls + 1)
        if said != "nothing":
            # The head of the answer is there; with it came what began the stream.
            eventually(lambda: any(map(_is_call, recorder.exchanges())), "the answer begins")
        when.touch()
        running.join(LIMIT)
        exchanges = recorder.exchanges()
        assert recorder.check() > 0
    assert facts, "the client hangs"
    assert facts["after"]["content"][0]["text"] == "after"
    assert facts["errors"] == []
    (cancelled,) = misbehaving.wait_received("notifications/cancelled", told + 1)[told:]
    assert cancelled["params"]["requestId"] == misbehaving.received("tools/call")[calls]["id"]
    (call,) = [each for each in exchanges if _is_call(each)]
    assert (call.status, call.response_headers["content-type"]) == (200, "text/event-stream")
    assert [message["method"] for message in call.received] == (["notifications/progress"] if said == "progress" else [])
    back = [each for each in exchanges if each.headers.get("last-event-id")]
    assert {each.status for each in back} <= {400}
    assert len(back) <= (0 if said == "nothing" else 2)
    listening = [each for each in exchanges if each.method == "GET" and each not in back]
    assert len(listening) <= 1


def _is_call(exchange: Recorded) -> bool:
    sent = exchange.sent
    return isinstance(sent, dict) and sent.get("method") == "tools/call" and sent["params"]["name"] == "bad.never"
