"""`scripts/bench` still measures everything. How fast anything is, is no matter here."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from places import BINARY, ROOT

sys.path.insert(0, str(ROOT / "Tests/Bench"))

import order  # noqa: E402
import shares  # noqa: E402

#: To build the load generator and run everything once, on a machine that is busy (seconds).
LIMIT = 500.0
FIGURE = r"[-+]?[\d,.]+( ?(µs|ms|/s|KiB|MiB))?"

#: By their titles.
Rows = dict[str, tuple[str, ...]]


def tables(markdown: str) -> dict[tuple[str, ...], Rows]:
    """The tables, by their heads. How many calls, sessions or connections there were is left out of titles."""
    found: dict[tuple[str, ...], Rows] = {}
    rows: Rows | None = None
    for line in markdown.splitlines():
        if not line.startswith("|"):
            rows = None
            continue
        cells = tuple(cell.strip() for cell in line.strip("|").split("|"))
        if rows is None:
            rows = found.setdefault(cells, {})
        elif not cells[0].startswith("---"):
            rows[re.sub(r"(growth by|each of) [\d,]+", r"\1 many", cells[0])] = cells[1:]
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
    found = list(tables(bench[0]).values())
    figures, targets, *others = found
    for title, (direct, through_bridge, ratio) in figures.items():
        assert re.fullmatch(FIGURE, through_bridge), (title, through_bridge)
        assert ratio or not direct, (title, direct)
    for title, (wanted, measured, verdict) in targets.items():
        assert re.match(r"[≤≥] \d", wanted) and re.match(r"[-\d]", measured), (title, wanted, measured)
        assert verdict in ("met", "missed"), (title, verdict)
    assert others
    for title, figures_beside in (row for rows in others for row in rows.items()):
        assert all(re.fullmatch(FIGURE, figure) for figure in figures_beside if figure), (title, figures_beside)
        assert any(figures_beside), title


def test_the_page_shows_the_same_rows(bench: tuple[str, Path]) -> None:
    printed = tables(bench[0])
    shown = tables((ROOT / "docs" / "performance.md").read_text(encoding="utf-8"))
    if shutil.which("perf") is None:  # which one of the tables takes
        shown = {head: rows for head, rows in shown.items() if head in printed}
    assert list(printed) == list(shown)
    assert [list(rows) for rows in printed.values()] == [list(rows) for rows in shown.values()]


def test_what_processor_time_goes_to_is_all_of_it() -> None:
    """Samples of the profiler, as it prints them: each is of one kind, by its innermost functions."""
    script = """
        7f01 __memmove_avx512_unaligned_erms
        55e0 $s7NIOCore10ByteBufferV05writeC0yS2i_tF

        ffff _copy_from_iter
        ffff unix_stream_sendmsg
        ffff do_writev
        ffff do_syscall_64

        ffff finish_task_switch.isra.0
        ffff __x64_sys_epoll_wait
        ffff do_syscall_64

        55e0 $s10BridgeCore9JSONBytesV15skipPlainBlocks4fromS2i_tF
        55e0 $s11BridgeFront8PostBodyV4read

        ffff clear_page_erms
        ffff asm_exc_page_fault
        7f01 __memmove_avx512_unaligned_erms

        55e0 $s8NIOPosix19SelectableEventLoopC3runyyKF
    """
    kinds = [shares.kind(stack) for stack in shares.stacks(script)]
    sockets, waiting, checking, copies, memory, rest = shares.KINDS
    assert kinds == [copies, sockets, waiting, checking, memory, rest]


def test_the_file_has_every_measurement(bench: tuple[str, Path]) -> None:
    results = json.loads(bench[1].read_text(encoding="utf-8"))
    assert results["failed"] == {}
    assert results["asked"] == ["calls", "sizes", "lists", "capabilities", "tokens", "chat", "starts", "memory", "bare", "http", "shares"]
    for name in results["asked"]:
        assert results[name], name


@pytest.mark.skipif(platform.machine() != "x86_64", reason="breakpoints are those of x86-64")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees the memory of processes that keep secrets")
def test_functions_that_are_entered_are_known(bench: tuple[str, Path]) -> None:
    """What `scripts/order` writes down: those of a call come first, in whichever process."""
    programs = ROOT / ".build/bench"
    make = ["make", "--silent", f"--directory={ROOT / 'Tests/Bench'}", f"BIN={programs}", "entered"]
    subprocess.run(make, check=True, timeout=LIMIT)
    names = order.order(BINARY, programs)
    assert len(names) == len(set(names)) > 3_000
    for module in ("BridgeFront", "BridgeSession", "BridgeUpstream"):
        assert any(f"{len(module)}{module}" in name for name in names[: len(names) // 4]), module
    assert any("16BridgeSupervisor" in name for name in names)
    assert not any("10BridgeChat" in name and "Sandbox" in name for name in names), "nobody has chatted"


def test_the_release_has_its_functions_in_their_order() -> None:
    """As far as they are still there: where many are not, the order is from another time, and scripts/order renews it. Some
    come from libraries whose functions cannot be moved one by one."""
    can_order = ["bash", "-c", '. "$0"; orders_functions', ROOT / "scripts/lib.sh"]
    if subprocess.run(can_order, timeout=LIMIT).returncode != 0:
        pytest.skip("this toolchain comes without lld")
    places = {name: address for address, name in order.functions(BINARY).items()}
    listed = (ROOT / "scripts/functions.order").read_text(encoding="ascii").split()
    found = [places[name] for name in listed if name in places]
    assert len(found) > 0.7 * len(listed), "run scripts/order"
    rising = sum(one < other for one, other in zip(found, found[1:], strict=False))
    assert rising > 0.8 * len(found), "they are not in this order; if .build is from before, remove it"
