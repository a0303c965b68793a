"""Many clients that call without pause, and remember how each single call ended."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from harness import Bridge
from http_raw import ConnectionEnded
from mcp_http import MCPClient
from outcomes import DID_NOT_RUN, MAY_HAVE_RUN, Ending, Outcome, assert_nothing_twice, word_of
from upstreams import CountingUpstream
from waiting import PATIENCE

__all__ = ["DID_NOT_RUN", "MAY_HAVE_RUN", "Called", "Callers", "Outcome", "assert_nothing_twice"]


@dataclass(frozen=True)
class Called(Outcome):
    """How a call ended, and whose it was."""

    caller: int = -1
    session: str | None = None
    upstream: str = ""
    #: Monotonic times.
    started: float = 0.0
    finished: float = 0.0


class Callers:
    """`count` clients, each with a session and a connection of its own, taking the upstreams in turns.

    A call that failed is not sent again: the next one has a new tag. So an upstream that counted a tag twice was sent
    it twice by the bridge.
    """

    def __init__(
        self, bridge: Bridge, upstreams: list[CountingUpstream], count: int = 16, milliseconds: int = 20, prefix: str = ""
    ) -> None:
        self.outcomes: list[Called] = []
        self.surprises: list[str] = []
        self._bridge = bridge
        self._upstreams = upstreams
        self._milliseconds = milliseconds
        self._prefix = prefix
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._clients = [bridge.client(validate=False) for _ in range(count)]
        self.sessions = [client.session_id for client in self._clients]
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(count)]

    def __enter__(self) -> Callers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        alive = [thread for thread in self._threads if thread.is_alive()]
        assert not alive, f"{len(alive)} callers hang: a call was never answered"

    def wait_for(self, condition: Callable[[list[Called]], bool], what: str, within: float = PATIENCE) -> None:
        """Waits until the outcomes so far meet a condition."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.outcomes), within), (
                f"never: {what}; {self.summary(self.outcomes)}"
            )

    def wait_for_results(self, each: int, since: float = 0.0, within: float = PATIENCE) -> None:
        """Waits until every caller got so many results, of calls begun after `since`, through every upstream."""
        wanted = len(self._clients) * len(self._upstreams)

        def enough(outcomes: list[Called]) -> bool:
            good = Counter(
                (outcome.caller, outcome.upstream)
                for outcome in outcomes
                if outcome.ending == "result" and outcome.started >= since
            )
            return len(good) == wanted and min(good.values()) >= each

        self.wait_for(enough, f"{each} results for each caller through each upstream", within)

    @staticmethod
    def summary(outcomes: list[Called]) -> dict[tuple[str, Ending, str | None], int]:
        return dict(Counter((outcome.upstream, outcome.ending, outcome.word) for outcome in outcomes))

    def _run(self, number: int) -> None:
        client, turn = self._clients[number], number
        while not self._stop.is_set():
            upstream = self._upstreams[turn % len(self._upstreams)]
            turn += 1
            outcome = self._call(client, number, upstream, f"{self._prefix}{number}-{turn}")
            with self._changed:
                self.outcomes.append(outcome)
                self._changed.notify_all()
            if outcome.ending == "refused":
                # Nobody listens just now. Nothing tells when somebody does, except trying.
                self._stop.wait(0.02)

    def _call(self, client: MCPClient, number: int, upstream: CountingUpstream, tag: str) -> Called:
        started = time.monotonic()
        ending: Ending
        word: str | None = None
        detail = ""
        try:
            reply = client.call(upstream.tool, {"tag": tag, "ms": self._milliseconds})
            if "result" in reply.message:
                ending = "result"
                if reply.result.get("isError"):
                    self.surprises.append(f"{tag}: {reply.result}")
            else:
                ending, word, detail = "error", word_of(reply.failure), str(reply.failure)
            self._look_for_a_second_answer(client, tag)
        except ConnectionEnded as ended:
            ending, detail = "closed", str(ended)
            if len(re.findall(rb"HTTP/1\.1 \d", ended.received)) > 1:
                self.surprises.append(f"{tag}: more than one answer before the end: {ended.received!r:.300}")
            client.close()
        except ConnectionRefusedError:
            ending = "refused"
            client.close()
        except Exception as error:  # noqa: BLE001 - a thread's failure has to reach the test
            ending, detail = "closed", repr(error)
            self.surprises.append(f"{tag}: {error!r}")
            client.close()
        finished = time.monotonic()
        return Called(tag, ending, word, detail, number, client.session_id, upstream.name, started, finished)

    def _look_for_a_second_answer(self, client: MCPClient, tag: str) -> None:
        if client.has_unread:
            self.surprises.append(f"{tag}: more than one answer")
