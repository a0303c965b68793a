"""Who asks is told once for a connection, and looked at again whenever it may have changed.

Two sessions are told apart by what they see: one is shown safe names, the other dotted ones. A connection asks several
times in a row for one of them, so that its number is in use when the other's turn comes.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator

import pytest
from command_line import beside
from harness import Bridge, Bridges
from http_raw import ConnectionEnded
from mcp_http import MCPClient
from outcomes import SESSION_DIES, attempt, call_until_answered
from rpc import PING
from upstreams import CountingUpstream
from waiting import eventually

#: Often enough that the number is used, and not only given.
ROW = 4


class Sessions:
    """Two sessions that share one connection, as behind a proxy."""

    def __init__(self, bridge: Bridge, *, local: bool = False) -> None:
        self.safe = bridge.client(local=local, name="claude-ai").session_id
        self.dotted = bridge.client(local=local).session_id
        assert self.safe != self.dotted
        self.connection = bridge.new_client(local=local)

    def __iter__(self) -> Iterator[str | None]:
        return iter((self.safe, self.dotted))

    def ask(self, session: str | None) -> MCPClient:
        """The connection, for a request of this session."""
        self.connection.session_id = session
        return self.connection

    def assert_own(self, session: str | None) -> None:
        between = "__" if session == self.safe else "."
        assert self.ask(session).tool_names() == [f"alpha{between}count", f"alpha{between}echo"]


@pytest.fixture
def alpha(counting: list[CountingUpstream]) -> CountingUpstream:
    return counting[0]


@pytest.fixture
def bridge(bridges: Bridges, alpha: CountingUpstream) -> Bridge:
    bridge = bridges.start({alpha.name: alpha.entry})
    bridge.wait_upstream(alpha.name)
    return bridge


def sent_again(bridge: Bridge) -> int:
    """How many requests the front has sent again so far."""
    text = bridge.get("/metrics").body.decode()
    (line,) = [line for line in text.splitlines() if line.startswith("mcp_bridge_requests_retried_total ")]
    return int(line.split()[1])


@pytest.mark.parametrize("local", [False, True], ids=["TCP", "Unix socket"])
def test_two_sessions_through_one_connection_are_each_their_own(bridge: Bridge, local: bool) -> None:
    sessions = Sessions(bridge, local=local)
    rows = [1, 1, 1, ROW, ROW, 1, ROW, 1, 1, ROW]
    for index, row in enumerate(rows):
        for _ in range(row):
            sessions.assert_own((sessions.safe, sessions.dotted)[index % 2])
    assert sent_again(bridge) == 0


def test_a_session_of_another_principal_is_unknown_on_a_connection_that_is_bound(bridge: Bridge) -> None:
    """Over TCP a caller is `local`, over the Unix socket it is its user: neither is let into the other's session."""
    over_tcp, over_unix = Sessions(bridge), Sessions(bridge, local=True)
    for _ in range(3):
        for own, other in ((over_tcp, over_unix), (over_unix, over_tcp)):
            for _ in range(ROW):
                own.assert_own(own.safe)
            assert own.ask(other.safe).exchange("POST", PING).status == 404


def test_a_session_that_another_connection_ends_is_unknown_to_a_connection_that_is_bound(bridge: Bridge) -> None:
    sessions = Sessions(bridge)
    for _ in range(ROW):
        sessions.assert_own(sessions.safe)
    with bridge.new_client() as other:
        other.session_id = sessions.safe
        assert other.delete().status == 204
        unbound = other.exchange("POST", PING)
    for _ in range(ROW):
        bound = sessions.ask(sessions.safe).exchange("POST", PING)
        assert (bound.status, bound.body) == (404, unbound.body)
    for _ in range(ROW):
        sessions.assert_own(sessions.dotted)


def test_a_connection_outlives_the_session_worker_and_binds_again(bridge: Bridge, alpha: CountingUpstream) -> None:
    sessions = Sessions(bridge)
    for kill in range(3):
        for session in sessions:
            for _ in range(ROW):
                sessions.assert_own(session)
        os.kill(bridge.worker("session").pid, signal.SIGKILL)
        with bridge.new_client() as other:
            other.session_id = sessions.dotted
            call_until_answered(other, alpha.tool, SESSION_DIES, prefix=f"kill-{kill}")
        # There is a new worker, and the front knows that this one has been told of nobody.
        before = sent_again(bridge)
        sessions.assert_own(sessions.dotted)
        assert "result" in sessions.connection.call(alpha.tool, {"tag": f"own-{kill}"}).message
        assert sent_again(bridge) == before
        for session in sessions:
            for _ in range(ROW):
                sessions.assert_own(session)
    assert max(alpha.counts().values()) == 1


def test_sessions_outlive_the_front_and_are_bound_on_new_connections(bridge: Bridge) -> None:
    sessions = Sessions(bridge)
    for _ in range(3):
        for session in sessions:
            for _ in range(ROW):
                sessions.assert_own(session)
        os.kill(bridge.worker("http").pid, signal.SIGKILL)
        with pytest.raises(ConnectionEnded):
            sessions.assert_own(sessions.safe)
        sessions.connection.close()
    for session in sessions:
        sessions.assert_own(session)


def test_a_connection_binds_again_after_a_reload(bridge: Bridge) -> None:
    sessions = Sessions(bridge)
    assert bridge.config is not None
    for size in (7, 8, 9):
        for session in sessions:
            for _ in range(ROW):
                sessions.assert_own(session)
        bridge.config["bridge"] = {"pageSize": size}
        bridge.write_config()
        assert beside(bridge, "reload").status == 0
    for session in sessions:
        sessions.assert_own(session)


def test_requests_that_are_named_in_logs_are_bound_too(bridges: Bridges, alpha: CountingUpstream) -> None:
    bridge = bridges.start({alpha.name: alpha.entry}, environment={"MCP_BRIDGE_LOG_LEVEL": "debug"})
    bridge.wait_upstream(alpha.name)
    sessions = Sessions(bridge)
    for index, session in enumerate(sessions):
        for number in range(ROW):
            sessions.assert_own(session)
            assert "result" in sessions.connection.call(alpha.tool, {"tag": f"{index}-{number}"}).message
    assert set(alpha.counts().values()) == {1}
    def routed() -> set[str]:
        return {field for line in list(bridge.log) if "Call routed" in line for field in line.split() if "request_id" in field}

    eventually(lambda: len(routed()) == 2 * ROW, "each call is logged under an id of its own")


class Mixed(threading.Thread):
    """A connection that asks for two sessions in rows of any length, and remembers what went wrong."""

    def __init__(self, bridge: Bridge, alpha: CountingUpstream, number: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.sessions = Sessions(bridge)
        self.alpha = alpha
        self.number = number
        self.stop = stop
        self.random = random.Random(number)
        self.wrong: list[str] = []
        self.rounds = 0

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                session = self.random.choice((self.sessions.safe, self.sessions.dotted))
                for _ in range(self.random.randint(1, 6)):
                    self._ask(session)
                if self.random.random() < 0.1:
                    self.sessions.connection.close()
                self.rounds += 1
        except Exception as error:  # noqa: BLE001 - a thread's failure has to reach the test
            self.wrong.append(repr(error))

    def _ask(self, session: str | None) -> None:
        client = self.sessions.ask(session)
        outcome, _ = attempt(client, self.alpha.tool, {"tag": f"{self.number}-{client.next_id()}"})
        if not SESSION_DIES.allows(outcome):
            self.wrong.append(f"{outcome}")
        self.sessions.assert_own(session)


def test_many_connections_stay_their_own_while_session_workers_die(bridge: Bridge, alpha: CountingUpstream) -> None:
    stop = threading.Event()
    connections = [Mixed(bridge, alpha, number, stop) for number in range(16)]
    for each in connections:
        each.start()
    for kills in range(1, 4):
        eventually(
            lambda wanted=5 * kills: all(each.rounds >= wanted or each.wrong for each in connections), "all are asking"
        )
        os.kill(bridge.worker("session").pid, signal.SIGKILL)
    eventually(lambda: all(each.rounds >= 20 or each.wrong for each in connections), "all go on")
    stop.set()
    for each in connections:
        each.join()
    assert not [wrong for each in connections for wrong in each.wrong]
    assert max(alpha.counts().values()) == 1
