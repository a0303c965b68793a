"""What is sent to a server over HTTP a second time, and what never is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from harness import Bridge, Bridges
from odd_http import Exchange, OddHTTP
from outcomes import MAY_HAVE_RUN
from replies import RPCFailure
from rpc import notification, request
from waiting import eventually

PROMPT = {"messages": [{"role": "user", "content": {"type": "text", "text": "go"}}]}
QUESTION = {
    "jsonrpc": "2.0",
    "id": "q",
    "method": "elicitation/create",
    "params": {"message": "Which?", "requestedSchema": {"type": "object", "properties": {}}},
}
PING = request(id="p")
LOG = notification("notifications/message", {"level": "info", "data": "x"})


@pytest.fixture(scope="module")
def odd() -> Iterator[OddHTTP]:
    server = OddHTTP(
        capabilities={"tools": {}, "prompts": {}},
        results={"prompts/list": {"prompts": [{"name": "p"}]}, "prompts/get": PROMPT},
    )
    yield server
    server.stop()
    server.check()


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges, odd: OddHTTP) -> Bridge:
    bridge = shared_bridges.start({"odd": odd.entry()})
    bridge.wait_upstream("odd")
    return bridge


def get(bridge: Bridge) -> Any:
    with bridge.client() as client:
        eventually(lambda: client.request("prompts/list").result["prompts"], "the prompt is listed")
        try:
            return client.request("prompts/get", {"name": "odd.p"}).result
        except RPCFailure as failure:
            return failure.word


def breaking_off(odd: OddHTTP, *said: dict[str, Any], elsewhere: bool = False) -> None:
    """The next request for the prompt is cut off when so much has been said, and answered; the one after it is served."""
    left = [1]

    def begin(exchange: Exchange) -> Any:
        if not left:
            return False
        left.pop()
        answers = len(odd.requests("answer"))
        exchange.stream()
        for message in said:
            odd.say(message) if elsewhere else exchange.event(message)
        odd.wait_requests("answer", answers + sum("id" in message for message in said))
        exchange.cut()
        return True

    odd.hooks["prompts/get"] = begin
    odd.seen = [seen for seen in odd.seen if seen.what != "prompts/get"]


@pytest.mark.parametrize("said", [[], [LOG], [PING]], ids=["nothing", "a log message", "a ping"])
def test_what_only_reads_is_asked_for_once_more_when_its_answer_breaks_off(
    bridge: Bridge, odd: OddHTTP, said: list[dict[str, Any]]
) -> None:
    breaking_off(odd, *said)
    assert get(bridge) == PROMPT
    assert len(odd.requests("prompts/get")) == 2


@pytest.mark.parametrize("elsewhere", [False, True], ids=["on its own stream", "on the other stream"])
def test_what_has_asked_somebody_something_is_never_asked_for_again(
    bridge: Bridge, odd: OddHTTP, elsewhere: bool
) -> None:
    breaking_off(odd, QUESTION, elsewhere=elsewhere)
    assert get(bridge) == MAY_HAVE_RUN
    assert len(odd.requests("prompts/get")) == 1
