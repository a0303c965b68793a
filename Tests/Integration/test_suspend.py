"""A machine that was asleep, and a supervisor that was stopped: nobody is taken for dead.

Time is the subject here, so these tests wait: for the ticks of the supervisor by which it judges its workers.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from callers import Callers
from harness import Bridge, Bridges
from jumping_clock import JumpingClock
from outcomes import NOTHING, assert_nothing_twice
from processes import Process
from tokens import bearer, create
from upstreams import CountingUpstream
from waiting import eventually

HOUR = 3600
TIMES = 10
#: The supervisor looks at its workers every second: so long after something happened it has done so (seconds). Of one that
#: was not late itself, nothing shows it.
TICKS = 2.5
#: More than a worker may be silent (10 s), and a sign of life more (seconds).
STOPPED = 14


def check(callers: Callers, counting: list[CountingUpstream]) -> None:
    """No call was lost, none ran twice, and all sessions are those of the beginning."""
    assert not NOTHING.forbidden(callers.outcomes), callers.summary(callers.outcomes)
    assert not callers.surprises
    assert {outcome.session for outcome in callers.outcomes} == set(callers.sessions)
    assert_nothing_twice(callers.outcomes, counting)


def times_late(bridge: Bridge) -> int:
    """How often the supervisor has said that it stood still. It says so when it next judges its workers."""
    return sum("The supervisor stood still" in line for line in list(bridge.log))


def start(bridges: Bridges, counting: list[CountingUpstream], prefix: tuple[str, ...] = ()) -> Bridge:
    bridge = bridges.start({upstream.name: upstream.entry for upstream in counting}, prefix=prefix)
    for upstream in counting:
        bridge.wait_upstream(upstream.name)
    return bridge


@pytest.mark.skipif(JumpingClock.why_not() is not None, reason=str(JumpingClock.why_not()))
def test_hours_asleep_cost_no_process_and_no_call(
    bridges: Bridges, folder: Path, counting: list[CountingUpstream]
) -> None:
    clock = JumpingClock(folder)
    bridge = start(bridges, counting, clock.prefix)
    tree = bridge.tree()
    assert len(tree) == 3 + 2 * len(counting), tree
    unreached = [process for process in tree if not clock.reaches(process)]
    assert not unreached, f"not asleep: {unreached}"
    with Callers(bridge, counting, count=4) as callers:
        for _ in range(TIMES):
            callers.wait_for_results(each=1, since=time.monotonic())
            clock.jump(HOUR)
            time.sleep(TICKS)
            assert bridge.tree() == tree
        callers.wait_for_results(each=1, since=time.monotonic())
    check(callers, counting)


@pytest.mark.skipif(JumpingClock.why_not() is not None, reason=str(JumpingClock.why_not()))
def test_a_token_ends_by_the_clock_that_there_is_and_one_that_is_set_back_starves_nobody(
    bridges: Bridges, folder: Path
) -> None:
    clock = JumpingClock(folder)
    bridge = bridges.start({}, prefix=clock.prefix)
    ending, limited = create(bridge, "mcp", "--expires", "30min"), create(bridge, "mcp", "--rate", "60/min")

    def status(secret: str) -> int:
        return bridge.get("/tools", bearer(secret)).status

    with bridge.new_client(headers=bearer(ending)).initialize() as client, client.open_stream() as stream:
        assert status(ending) == 200
        eventually(lambda: status(limited) == 429, "all that may come at once has come")
        clock.jump(HOUR)
        for _ in stream:
            pass
        assert status(ending) == 401
        eventually(lambda: status(limited) == 429, "and once more, an hour later")
        clock.jump(-HOUR)
        eventually(lambda: status(limited) == 200, "one a second is given back")
        assert status(ending) == 200


def test_supervisors_that_were_stopped_find_their_workers_alive(bridges: Bridges, folder: Path) -> None:
    """Each begins at another moment between two signs of life: ten side by side are ten times."""
    fleet: list[tuple[Bridge, CountingUpstream]] = []
    for number in range(TIMES):
        upstream = CountingUpstream(folder, f"count{number}")
        fleet.append((start(bridges, [upstream]), upstream))
    trees: list[list[Process]] = [bridge.tree() for bridge, _ in fleet]
    crowd = [Callers(bridge, [upstream], count=1, milliseconds=100) for bridge, upstream in fleet]
    for callers in crowd:
        callers.__enter__()
    late = [times_late(bridge) for bridge, _ in fleet]
    try:
        stopped = time.monotonic()
        for bridge, _ in fleet:
            os.kill(bridge.supervisor.pid, signal.SIGSTOP)
        for callers in crowd:
            callers.wait_for_results(each=3, since=stopped)
        time.sleep(max(0.0, stopped + STOPPED - time.monotonic()))
    finally:
        for tree in trees:
            os.kill(tree[0].pid, signal.SIGCONT)
    for (bridge, _), before in zip(fleet, late, strict=True):
        eventually(lambda bridge=bridge, before=before: times_late(bridge) > before, "it judges its workers")
    resumed = time.monotonic()
    for callers in crowd:
        callers.wait_for_results(each=3, since=resumed)
        callers.__exit__()
    assert [bridge.tree() for bridge, _ in fleet] == trees
    for callers, (_, upstream) in zip(crowd, fleet, strict=True):
        check(callers, [upstream])
