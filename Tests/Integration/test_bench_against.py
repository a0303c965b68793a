"""`scripts/bench --against`: what it makes of runs of two builds, and that it measures both."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from places import BINARY, ROOT

sys.path.insert(0, str(ROOT / "Tests/Bench"))

from verdicts import Comparison, Kind, Verdict, ratio  # noqa: E402

#: To build the load generator and run everything once, on a machine that is busy (seconds).
LIMIT = 500.0


def compare(that: list[float], this: list[float], same: list[float], kind: Kind = Kind.MICROSECONDS) -> Comparison:
    return Comparison("a row", kind, that, this, same)


@pytest.mark.parametrize(
    ("median", "same", "verdict"),
    [
        (100, [100, 100], Verdict.SAME),
        (105, [100, 100], Verdict.SAME),
        (106, [100, 100], Verdict.WORSE),
        (106, [100, 105.9], Verdict.WORSE),
        (106, [100, 106.1], Verdict.UNSTEADY),
        (106, [106.1, 100], Verdict.UNSTEADY),
        (96, [100, 100], Verdict.SAME),
        (94, [100, 100], Verdict.BETTER),
        (94, [100, 107], Verdict.UNSTEADY),
    ],
)
def test_a_row_is_worse_beyond_five_percent_and_beyond_the_spread(
    median: float, same: list[float], verdict: Verdict
) -> None:
    """Where less is better; the other way round for what there should be more of."""
    assert compare([100] * 5, [median] * 5, same).verdict is verdict
    rates = compare([1e6 / 100] * 5, [1e6 / median] * 5, [1e6 / each for each in same], Kind.RATE)
    assert rates.verdict is verdict


def test_it_is_medians_that_are_compared() -> None:
    compared = compare([100, 101, 99, 500, 100], [100, 1, 102, 900, 101], [100, 101])
    assert compared.medians == (100, 101)
    assert compared.ratio == pytest.approx(1.01)
    assert compared.verdict is Verdict.SAME


def test_the_spread_is_how_far_apart_two_runs_of_one_build_are() -> None:
    assert compare([1], [1], [120, 100]).spread == pytest.approx(0.2)
    assert compare([1], [1], [100, 120]).spread == pytest.approx(0.2)
    assert compare([1], [1], [7, 7]).spread == 0


def test_nothing_is_like_nothing_and_less_than_anything() -> None:
    assert ratio(0, 0) == 1
    assert ratio(3, 0) == math.inf
    assert compare([0] * 5, [0] * 5, [0, 0]).verdict is Verdict.SAME
    assert compare([0] * 5, [1] * 5, [0, 0]).verdict is Verdict.WORSE


def test_without_runs_there_is_no_verdict() -> None:
    assert compare([], [1], [1, 1]).verdict is Verdict.MISSING


def test_a_ratio_within_a_run_is_not_judged() -> None:
    assert compare([1.1] * 5, [1.5] * 5, [1.1, 1.1], Kind.RATIO).verdict is Verdict.NONE


# The whole of it, with one and the same binary as both builds


@pytest.fixture(scope="module")
def against(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """What it printed, and every figure."""
    file: Path = tmp_path_factory.mktemp("against") / "figures.json"
    done = subprocess.run(
        [ROOT / "scripts/bench", "--smoke", "--against", "itself", "--json", file],
        env={**os.environ, "MCP_BRIDGE_BINARY": str(BINARY), "MCP_BRIDGE_AGAINST_BINARY": str(BINARY)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert file.is_file(), done
    return done, json.loads(file.read_text(encoding="utf-8"))


def test_every_row_is_measured_with_both_builds(
    against: tuple[subprocess.CompletedProcess[str], dict[str, Any]],
) -> None:
    done, figures = against
    assert (figures["that"], figures["this"], figures["failed"]) == ("itself", "this build", {}), done
    titles = [row["title"] for row in figures["rows"]]
    for connections in ("1 connection", "16 connections", "64 connections"):
        assert {f"{connections}: {what}" for what in ("p50", "calls", "CPU per call")} <= set(titles)
    for word in (
        "1 connection: p50 beyond direct calls", "64 connections: p99/p50, to that of direct calls",
        "1,000,000 bytes, 8 connections: CPU per call", "tools/list of 10,000", "declare capabilities", "cold start",
        "memory (PSS), idle", "idle connections, never asked", "idle connections, after a call",
    ):
        assert any(word in title for title in titles), (word, titles)
    for row in figures["rows"]:
        assert (len(row["that"]), len(row["this"]), len(row["same"])) == (1, 1, 2), row
        # So few calls take so little time that what a bridge adds to a direct one may come out as less than nothing.
        if "beyond" not in row["title"]:
            assert all(number > 0 for number in row["that"] + row["this"] + row["same"]), row
        assert row["title"] in done.stdout


def test_the_exit_status_says_whether_a_row_is_worse(
    against: tuple[subprocess.CompletedProcess[str], dict[str, Any]],
) -> None:
    done, figures = against
    worse = [row["title"] for row in figures["rows"] if row["verdict"] == Verdict.WORSE.value]
    assert done.returncode == (1 if worse else 0), done
    assert ("No row is worse." in done.stdout) is not bool(worse)


def test_each_process_has_its_processor_time_and_its_allocations(
    against: tuple[subprocess.CompletedProcess[str], dict[str, Any]],
) -> None:
    done, figures = against
    assert figures["uncounted"] is None, figures["uncounted"]
    for kind in ("cpu", "allocations"):
        for connections in ("1", "16", "64"):
            for build in ("itself", "this build"):
                found = figures[kind][connections][build]
                assert {"supervisor", "http", "session", "upstream"} <= found.keys(), (kind, connections, found)
                assert all(found[role] > 0 for role in ("http", "session", "upstream")), (kind, connections, found)
    # The same program asks as often, however fast it is.
    one, other = (figures["allocations"]["1"][build]["http"] for build in ("itself", "this build"))
    assert one == pytest.approx(other, rel=0.2)
    assert all(figures["bare allocations"][connections] > 0 for connections in ("1", "16", "64"))
    assert "http, beyond a bare NIOHTTP1 server" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--against"], "wants a commit"),
        (["--against", "no-such-commit"], "no such commit: no-such-commit"),
    ],
)
def test_a_commit_that_is_not_there_is_told(arguments: list[str], told: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "MCP_BRIDGE_AGAINST_BINARY"}
    done = subprocess.run(
        [ROOT / "scripts/bench", *arguments],
        env={**environment, "MCP_BRIDGE_BINARY": str(BINARY)},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert done.returncode == 1 and told in done.stderr, done
