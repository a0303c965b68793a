"""`scripts/test --under-load`: parts run as often as asked beside two busy loops, which end with it however it ends."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator

import pytest
from places import ROOT
from processes import Process, ProcessWatch, children
from waiting import PATIENCE, eventually

HEADING = re.compile(r"== check \((\d) of (\d)\)")


@pytest.fixture
def running() -> Iterator[subprocess.Popen[str]]:
    """The quickest part, three times."""
    process = subprocess.Popen(
        [ROOT / "scripts/test", "--under-load", "3", "check"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    yield process
    # The part that runs outlives its script, and would keep the pipe open for as long as it takes.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def loops_once_begun(process: subprocess.Popen[str]) -> list[Process]:
    """Its busy loops, as soon as the first run has begun."""
    assert process.stdout is not None
    for line in process.stdout:
        if HEADING.match(line):
            break

    def both() -> list[Process] | None:
        found = [each for each in children(process.pid) if each.command[:1] == ("bash",) and "busy-loop" in each.command]
        return found if len(found) == 2 else None

    return eventually(both, "two busy loops turn")


def test_a_part_is_run_as_often_as_asked(running: subprocess.Popen[str]) -> None:
    with ProcessWatch(loops_once_begun(running)) as watch:
        assert running.stdout is not None
        said = running.stdout.read()
        status = running.wait(PATIENCE)
        assert watch.wait_until_all_ended(PATIENCE), f"still turning: {watch.alive}"
    assert [match[1] for match in HEADING.finditer(said)] == ["2", "3"]
    summary = re.findall(r"^  check \(\d of 3\): (ok|FAILED), \d+ s$", said, re.MULTILINE)
    assert len(summary) == 3, said
    assert status == (0 if summary == ["ok"] * 3 else 1), said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_the_loops_end_with_the_script(running: subprocess.Popen[str], number: signal.Signals) -> None:
    with ProcessWatch(loops_once_begun(running)) as watch:
        running.send_signal(number)
        assert running.wait(PATIENCE) != 0
        assert watch.wait_until_all_ended(PATIENCE), f"still turning: {watch.alive}"


@pytest.mark.parametrize("number", [[], ["check"], ["0", "check"], ["-1", "check"]])
def test_a_number_of_runs_is_wanted(number: list[str]) -> None:
    done = subprocess.run([ROOT / "scripts/test", "--under-load", *number], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1 and "wants a number of runs" in done.stderr, done
