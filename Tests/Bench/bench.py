"""Measures the bridge against direct calls, in one run. `scripts/bench` starts this."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import compared
import report
from against import Against, Build
from machine import Others, describe
from measures import Bench, Plan
from rig import Unmeasurable
from targets import judge
from verdicts import Verdict

MEASUREMENTS = ("calls", "sizes", "lists", "capabilities", "tokens", "chat", "starts", "memory", "bare", "http", "shares")
#: Of two builds.
COMPARED = ("calls", "sizes", "lists", "capabilities", "starts", "memory", "connections")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measures direct calls to an echo server over HTTP against the same calls through the bridge to "
        "the same server on stdio, side by side, on loopback. $MCP_BRIDGE_BINARY names another binary.",
        epilog="Exit status: 0 everything was measured, 1 something could not be (or, with --strict, missed its target; "
        "or, with --against, is worse).",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="a minute and a half instead of six: rougher figures")
    length.add_argument("--smoke", action="store_true", help="seconds: whether it can be measured; figures mean nothing")
    parser.add_argument(
        "--only", action="append", choices=[*MEASUREMENTS, "connections"], help="only this measurement (repeatable); "
        "tokens, chat, bare, http and shares are of one build, connections is of two"
    )
    parser.add_argument(
        "--journal",
        action="store_true",
        help="with --only chat: the bridge's log is a real journal, in a systemd that is booted for it and thrown away "
        "(needs root); and what the journal and the audit have of all chats is counted"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write every figure there")
    parser.add_argument("--markdown", action="store_true", help="print the tables of docs/performance.md")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a target is missed")
    parser.add_argument(
        "--against",
        metavar="REF",
        help="measure this build and that of another commit in turns: five runs of each, and which rows are worse "
        "(a quarter of an hour, with --quick a third of it; the other commit is built once, which takes some minutes). "
        "$MCP_BRIDGE_AGAINST_BINARY names its binary, which is not built then.",
    )
    parser.add_argument("--against-binary", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--binary", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--programs", type=Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.against and options.strict:
        parser.error("--strict is about targets, which --against does not look at")
    if options.journal and (options.against or options.only != ["chat"]):
        parser.error("--journal is for --only chat")
    known = COMPARED if options.against else MEASUREMENTS
    if unknown := [name for name in options.only or [] if name not in known]:
        parser.error(f"{'with' if options.against else 'without'} --against there is no {unknown[0]}")
    return options


def private_copy(binary: Path, programs: Path, name: str = "mcp-bridge") -> Path:
    """Of the binary: nobody replaces it meanwhile, and no other bridge on the machine shares its pages."""
    copy = programs / name
    new = copy.with_name(f"{name}.{os.getpid()}")
    shutil.copy2(binary, new)
    new.replace(copy)
    return copy


def stop(number: int, _: FrameType | None) -> None:
    raise SystemExit(f"bench: ended by {signal.Signals(number).name}")


def measure(bench: Bench, names: list[str]) -> dict[str, Any]:
    """Every figure, and under `failed` what there is none of and why."""
    results: dict[str, Any] = {"machine": describe(), "asked": names, "failed": bench.failed}
    others, begun = Others(), time.monotonic()
    for name in names:
        try:
            results[name] = getattr(bench, name)()
        except (Unmeasurable, OSError) as error:
            bench.failed[name] = str(error) or repr(error)
    return results | {"seconds": time.monotonic() - begun, "others": others.share()}


def compare(options: argparse.Namespace, names: list[str], say: Callable[[str], None]) -> int:
    """Another build and this one in turns."""
    plan = (
        Plan.smoke_against()
        if options.smoke
        else Plan.quick_against() if options.quick else Plan.thorough_against()
    )
    that = Build(options.against, private_copy(options.against_binary, options.programs, "mcp-bridge.against"))
    this = Build("this build", private_copy(options.binary, options.programs))
    against = Against(that, this, options.programs, plan, say)
    results: dict[str, Any] = {"machine": describe(), "asked": names}
    others, begun = Others(), time.monotonic()
    against.compare(names)
    results |= {"seconds": time.monotonic() - begun, "others": others.share()}
    say("")
    if options.json:
        figures = json.dumps(results | compared.figures(against), indent=2, ensure_ascii=False)
        options.json.write_text(figures + "\n", encoding="utf-8")
    print(compared.text(against, results, markdown=options.markdown))
    for name, reason in against.failed.items():
        print(f"bench: could not be measured: {name}: {reason}", file=sys.stderr)
    return 1 if against.failed or any(each.verdict is Verdict.WORSE for each in against.rows) else 0


def main() -> int:
    options = arguments()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, stop)
    short = options.quick or options.smoke
    signal.alarm((1_800 if short else 5_400) if options.against else 600 if short else 1_800)
    terminal = sys.stderr.isatty()

    def say(text: str) -> None:
        print(f"\r\033[K{text}" if terminal else text, end="" if terminal else "\n", file=sys.stderr, flush=True)

    known = COMPARED if options.against else MEASUREMENTS
    names = [name for name in known if not options.only or name in options.only]
    if options.against:
        return compare(options, names, say)
    plan = Plan.smoke() if options.smoke else Plan.quick() if options.quick else Plan.thorough()
    binary = private_copy(options.binary, options.programs)
    results = measure(Bench(binary, options.programs, plan, say, options.journal), names)
    if terminal:
        say("")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(report.markdown(results) if options.markdown else report.text(results))
    if options.smoke:
        print("bench: a smoke test: these figures mean nothing", file=sys.stderr)
    for name, reason in results["failed"].items():
        print(f"bench: could not be measured: {name}: {reason}", file=sys.stderr)
    if results["failed"]:
        return 1
    return 1 if options.strict and any(verdict.met is False for verdict in judge(results)) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
