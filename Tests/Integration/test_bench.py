"""`scripts/bench` still measures everything. How fast anything is, is no matter here."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from places import BINARY, ROOT

#: To build the load generator and run everything once, on a machine that is busy (seconds).
LIMIT = 500.0
#: A line of a Markdown table with four columns.
LINE = re.compile(r"\| (.*) \| (.*) \| (.*) \| (.*) \|")

Rows = dict[str, tuple[str, ...]]


def rows(markdown: str) -> tuple[Rows, Rows]:
    """The figures and the targets, by their titles. How many calls made memory grow is left out of these."""
    found: tuple[Rows, Rows] = ({}, {})
    table = 0
    for line in markdown.splitlines():
        if line.startswith("| target "):
            table = 1
        elif match := LINE.fullmatch(line):
            title = re.sub(r"growth by [\d,]+", "growth by many", match[1])
            found[table][title] = (match[2], match[3], match[4])
    return found


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What it printed, and the file with every figure."""
    file = tmp_path_factory.mktemp("bench") / "figures.json"
    done = subprocess.run(
        [ROOT / "scripts/bench", "--smoke", "--markdown", "--json", file],
        env={**os.environ, "MCP_BRIDGE_BINARY": str(BINARY)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert done.returncode == 0, done
    return done.stdout, file


def test_every_row_has_its_figures(bench: tuple[str, Path]) -> None:
    figures, targets = rows(bench[0])
    for title, (direct, through_bridge, ratio) in figures.items():
        if title:
            assert re.fullmatch(r"[-+]?[\d,.]+ ?(µs|ms|/s|MiB)", through_bridge), (title, through_bridge)
            assert ratio or not direct, (title, direct)
    for title, (wanted, measured, verdict) in targets.items():
        assert re.match(r"[≤≥] \d", wanted) and re.match(r"[-\d]", measured), (title, wanted, measured)
        assert verdict in ("met", "missed"), (title, verdict)


def test_the_page_shows_the_same_rows(bench: tuple[str, Path]) -> None:
    shown = rows((ROOT / "docs" / "performance.md").read_text(encoding="utf-8"))
    assert [list(part) for part in rows(bench[0])] == [list(part) for part in shown]


def test_the_file_has_every_measurement(bench: tuple[str, Path]) -> None:
    results = json.loads(bench[1].read_text(encoding="utf-8"))
    assert results["failed"] == {}
    assert results["asked"] == ["calls", "sizes", "lists", "capabilities", "starts", "memory", "bare"]
    for name in results["asked"]:
        assert results[name], name
