"""What a caller may be told, by what has just died. The one place that says so, for every test that ends a process.

Each call has one outcome, and no call runs twice, whatever dies: that is never a matter of what is allowed here.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from http_raw import ConnectionEnded
from mcp_http import MCPClient
from replies import Reply, RPCFailure, text_of
from waiting import PATIENCE, eventually

#: `error` is a JSON-RPC error; `closed`: the connection ended before the answer was whole; `refused`: nobody listened.
Ending = Literal["result", "error", "closed", "refused"]

#: The words that say whether a call may have run.
DID_NOT_RUN = "upstream_unavailable"
MAY_HAVE_RUN = "outcome_unknown"
#: Every word that promises that the call has not run.
NOT_RUN = frozenset({DID_NOT_RUN, "session_unavailable", "overloaded", "draining", "unknown_tool"})


@dataclass(frozen=True)
class Outcome:
    """How one call ended for its caller."""

    tag: str
    ending: Ending
    #: Of an error: the stable word, or its code and message where it has none.
    word: str | None = None
    detail: str = ""

    @property
    def promises_not_to_have_run(self) -> bool:
        return self.ending == "refused" or (self.ending == "error" and self.word in NOT_RUN)


@dataclass(frozen=True)
class May:
    """What may come in place of a result."""

    endings: frozenset[Ending] = frozenset()
    words: frozenset[str] = frozenset()

    def allows(self, outcome: Outcome) -> bool:
        if outcome.ending == "error":
            return outcome.word in self.words
        return outcome.ending == "result" or outcome.ending in self.endings

    def forbidden(self, outcomes: Iterable[Outcome]) -> list[Outcome]:
        return [outcome for outcome in outcomes if not self.allows(outcome)]

    def __or__(self, other: May) -> May:
        return May(self.endings | other.endings, self.words | other.words)


def _closed(*words: str) -> May:
    return May(frozenset({"closed"}), frozenset(words))


#: Nothing died, or nothing that the call needs.
NOTHING = May()
#: A server or its worker died. The nearest process that lives answers: the call was there, or it never got there.
SERVER_DIES = May(words=frozenset({DID_NOT_RUN, MAY_HAVE_RUN}))
#: The session worker died. The front answers; and the new session worker may not have found the servers yet.
SESSION_DIES = May(words=frozenset({"session_unavailable"})) | SERVER_DIES
#: The front died, and with it each connection. Nobody else can answer, and nobody is refused: the socket is held.
FRONT_DIES = _closed()
#: The supervisor was killed. All others end by themselves, in no order: whoever lives longest still answers for those
#: that it sees end. Whoever holds the sockets beside the service (systemd) keeps callers from being refused.
SUPERVISOR_DIES = FRONT_DIES | SESSION_DIES
#: The same where nobody else holds the sockets.
ALL_DIES = SUPERVISOR_DIES | May(frozenset({"refused"}))
#: The configuration no longer has the server: the call is finished, or finds no such tool, or comes between the two.
SERVER_IS_REMOVED = May(words=frozenset({DID_NOT_RUN, "unknown_tool"}))
#: An orderly stop: calls under way are finished; who comes later is told, or finds nobody.
STOP = May(frozenset({"closed", "refused"}), frozenset({"draining"}))
#: An orderly restart, for a client that keeps its connection: HTTP lets a server close it between two answers.
RESTART_KEEPING_ALIVE = _closed()

#: By the label of the worker.
WORKER_DIES = {"http": FRONT_DIES, "session": SESSION_DIES, "upstream": SERVER_DIES}


def when_dies(label: str) -> May:
    """What may be told when the worker with this label dies: `http`, `session` or `upstream NAME`."""
    return WORKER_DIES[label.partition(" ")[0]]


def attempt(client: MCPClient, tool: str, arguments: dict[str, object]) -> tuple[Outcome, Reply | None]:
    """One call of a tool that takes a `tag`. A connection that ended is closed, so that the next call makes another."""
    tag = str(arguments["tag"])
    try:
        reply = client.call(tool, arguments)
    except ConnectionEnded as ended:
        client.close()
        return Outcome(tag, "closed", detail=str(ended)), None
    except (ConnectionRefusedError, FileNotFoundError) as error:
        client.close()
        return Outcome(tag, "refused", detail=repr(error)), None
    if "result" in reply.message:
        return Outcome(tag, "result"), reply
    failure = reply.failure
    return Outcome(tag, "error", word_of(failure), str(failure)), reply


def word_of(failure: RPCFailure) -> str:
    return failure.word or f"{failure.code} {failure.message}"


def call_until_answered(
    client: MCPClient, tool: str, may: May, prefix: str = "again", within: float = PATIENCE
) -> list[Outcome]:
    """Calls with ever new tags until one is answered with a result. Whatever else comes before that must be allowed."""
    outcomes: list[Outcome] = []
    tags = (f"{prefix}-{number}" for number in itertools.count())

    def answered() -> bool:
        outcome, reply = attempt(client, tool, {"tag": next(tags)})
        outcomes.append(outcome)
        assert may.allows(outcome), f"not allowed here: {outcome}; before it: {outcomes[:-1][-5:]}"
        if reply is None or outcome.ending != "result":
            return False
        assert text_of(reply.result) == outcome.tag, reply.result
        return True

    eventually(answered, "a call is answered", within)
    return outcomes


class Counted(Protocol):
    """A server that knows how often it executed what."""

    def counts(self) -> Mapping[str, int]: ...


def assert_nothing_twice(outcomes: Iterable[Outcome], servers: Iterable[Counted]) -> None:
    """No call ran twice; what was answered with a result ran; what was said not to have run did not."""
    ran: Counter[str] = Counter()
    for server in servers:
        ran.update(server.counts())
    twice = {tag: count for tag, count in ran.items() if count > 1}
    assert not twice, f"executed more than once: {twice}"
    for outcome in outcomes:
        if outcome.ending == "result":
            assert ran[outcome.tag] == 1, f"answered without having run: {outcome}"
        if outcome.promises_not_to_have_run:
            assert ran[outcome.tag] == 0, f"it ran all the same: {outcome}"
