"""A server over HTTP that is restarted, hangs, is cut in the middle of answers and is replaced, while sixteen clients call."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from callers import Callers
from harness import Bridge, Bridges
from mcp_http import EventStream
from odd_http import Exchange, OddHTTP, OddSSE, text_result
from outcomes import DID_NOT_RUN, SERVER_DIES, May, assert_nothing_twice

URI = "memo://one"
CAPABILITIES = {"tools": {"listChanged": True}, "logging": {}, "resources": {"subscribe": True}}
RESULTS = {
    "resources/list": {"resources": [{"uri": URI, "name": "one"}]},
    "resources/templates/list": {"resourceTemplates": []},
}
#: A server that hangs is waited for until the call's own limit.
HANGS = May(words=frozenset({"timeout"})) | SERVER_DIES


class Counting:
    """A server that counts, at an address that outlives it."""

    name = "odd"
    tool = "odd.count"

    def __init__(self, make: type[OddHTTP]) -> None:
        self.make = make
        self.lives: list[OddHTTP] = []
        self.begin()

    def begin(self) -> None:
        port = self.lives[-1].port if self.lives else 0
        server = self.make(capabilities=CAPABILITIES, results=RESULTS, port=port)
        server.hooks["tools/call:count"] = self.over_a_stream if self.make is OddSSE else self.in_its_own_stream
        self.lives.append(server)

    @property
    def server(self) -> OddHTTP:
        return self.lives[-1]

    def counts(self) -> Counter[str]:
        return sum((life.counted for life in self.lives), Counter())

    # Slowly, so that there is a middle in which to be cut

    def in_its_own_stream(self, exchange: Exchange) -> None:
        server = exchange.server
        if not server.is_known(exchange):
            return
        tag = server.count(exchange)
        exchange.stream()
        exchange.event({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "debug", "data": tag}})
        time.sleep(0.02)
        exchange.event({"jsonrpc": "2.0", "id": exchange.id, "result": text_result(tag)})
        exchange.end()

    def over_a_stream(self, exchange: Exchange) -> object:
        server = exchange.server
        if exchange.seen.path.rpartition("=")[2] not in server.sessions:
            return False
        tag = server.count(exchange)
        exchange.reply(202, b"Accepted", "text/plain")
        time.sleep(0.02)
        server.say({"jsonrpc": "2.0", "id": exchange.id, "result": text_result(tag)})
        return True

    # What happens to it

    def is_restarted(self, bridge: Bridge, callers: Callers) -> None:
        self.server.restart()

    def hangs(self, bridge: Bridge, callers: Callers) -> None:
        moment = time.monotonic()
        self.server.hang()
        callers.wait_for(
            lambda outcomes: any(each.word == DID_NOT_RUN and each.started > moment for each in outcomes),
            "a call that was held back is told that it has not run",
        )
        bridge.wait_upstream("odd", connected=False)
        self.server.go_on()

    def is_cut(self, bridge: Bridge, callers: Callers) -> None:
        self.server.drop_connections()

    def is_replaced(self, bridge: Bridge, callers: Callers) -> None:
        self.server.stop()
        self.begin()


@pytest.fixture(scope="module", params=[OddHTTP, OddSSE], ids=["Streamable HTTP", "HTTP+SSE"])
def counting(request: pytest.FixtureRequest) -> Iterator[Counting]:
    counting = Counting(request.param)
    yield counting
    counting.server.stop()


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges, counting: Counting) -> Bridge:
    bridge = shared_bridges.start(
        {"odd": counting.server.entry(timeouts={"call": 6, "ping": 4, "connect": 6})}, bridge={"pingInterval": 0.5}
    )
    bridge.wait_upstream("odd")
    return bridge


@pytest.fixture(scope="module")
def listener(bridge: Bridge) -> Iterator[EventStream]:
    """Of a client that has subscribed to a resource, and wants to hear what is worth a warning."""
    client = bridge.client()
    client.request("logging/setLevel", {"level": "warning"})
    client.request("resources/subscribe", {"uri": URI})
    with client.keep_stream_open() as stream:
        yield stream


def said(server: OddHTTP, level: str, data: str) -> None:
    server.say({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": level, "data": data}})


def hears_of_the_resource(listener: EventStream) -> None:
    assert listener.wait_for("notifications/resources/updated")["params"]["uri"] == URI


HARMS: dict[str, tuple[Callable[[Counting, Bridge, Callers], None], May]] = {
    "restarted": (Counting.is_restarted, SERVER_DIES),
    "hung": (Counting.hangs, HANGS),
    "cut": (Counting.is_cut, SERVER_DIES),
    "replaced": (Counting.is_replaced, SERVER_DIES),
}


@pytest.mark.parametrize("harm", HARMS)
def test_each_call_has_one_answer_and_what_was_asked_for_is_asked_for_again(
    bridge: Bridge, counting: Counting, listener: EventStream, harm: str
) -> None:
    does, may = HARMS[harm]
    before = counting.server
    sessions = len(before.requests("initialize"))
    with Callers(bridge, [counting], prefix=f"{harm}-") as callers:  # type: ignore[list-item]
        callers.wait_for_results(each=2)
        level = before.wait_requests("logging/setLevel")[-1].message["params"]["level"]
        does(counting, bridge, callers)
        callers.wait_for_results(each=3, since=time.monotonic())
    assert not may.forbidden(callers.outcomes)
    assert not callers.surprises
    assert_nothing_twice(callers.outcomes, [counting])

    server = counting.server
    keeps_its_session = harm == "cut" and not isinstance(server, OddSSE)
    if not keeps_its_session:
        begun = sessions if server is before else 0
        assert len(server.requests("initialize")) > begun
        server.wait_requests("resources/subscribe", begun + 1)
        assert {each.message["params"]["uri"] for each in server.requests("resources/subscribe")} == {URI}
        server.wait_requests("logging/setLevel", begun + 1)
        assert server.requests("logging/setLevel")[-1].message["params"]["level"] == level
        # Nobody can say whether it has changed meanwhile.
        hears_of_the_resource(listener)
    said(server, "info", "too quiet")
    said(server, "warning", harm)
    assert listener.wait_for("notifications/message")["params"]["data"] == harm
    server.say({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": URI}})
    hears_of_the_resource(listener)
