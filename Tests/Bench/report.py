"""The results for people: a table for the terminal, the same in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from targets import judge

Row = tuple[str, str, str, str]
HEAD: Row = ("", "direct", "bridge", "ratio")
ROLES = ("supervisor", "http", "session", "upstream", "child")


def microseconds(value: float) -> str:
    if value < 1_000:
        return f"{value:.0f} µs"
    return f"{value / 1_000:,.2f} ms" if value < 100_000 else f"{value / 1_000:,.0f} ms"


def rate(value: float) -> str:
    return f"{value:,.0f}/s"


def ratio(value: float) -> str:
    return f"{value:.2f} x" if value < 100 else f"{value:.0f} x"


def bytes_of(size: int) -> str:
    return {100: "100 B", 10_000: "10 KB", 1_000_000: "1 MB"}[size]


def plural(connections: str) -> str:
    return f"{connections} connection{'' if connections == '1' else 's'}"


def compared(title: str, found: dict[str, Any], *, full: bool) -> Iterator[Row]:
    direct, bridge = found["direct"], found["bridge"]
    yield f"{title}: p50", microseconds(direct["p50"]), microseconds(bridge["p50"]), ratio(found["p50 ratio"])
    if full:
        p99 = bridge["p99"] / direct["p99"]
        yield f"{title}: p99", microseconds(direct["p99"]), microseconds(bridge["p99"]), ratio(p99)
    yield f"{title}: calls", rate(direct["rate"]), rate(bridge["rate"]), ratio(found["rate ratio"])
    if full:
        cpu = bridge["cpu"] / direct["cpu"] if direct["cpu"] else 0
        yield f"{title}: CPU per call", microseconds(direct["cpu"]), microseconds(bridge["cpu"]), ratio(cpu)


def rows(results: dict[str, Any]) -> Iterator[Row]:
    for connections, found in results.get("calls", {}).items():
        yield from compared(plural(connections), found, full=True)
    for key, found in results.get("sizes", {}).items():
        size, _, connections = key.partition(" x ")
        yield from compared(f"{bytes_of(int(size))} arguments, {plural(connections)}", found, full=False)
    for tools, found in results.get("lists", {}).items():
        direct, bridge = found["direct"]["p50"], found["bridge"]["p50"]
        title = f"tools/list of {int(tools):,}: p50"
        yield title, microseconds(direct), microseconds(bridge), ratio(found["p50 ratio"])
    if found := results.get("capabilities"):
        title = "callers that declare capabilities, to those that do not"
        yield f"{title}: calls", "", rate(found["declared"]["rate"]), ratio(found["rate ratio"])
        yield f"{title}: CPU per call", "", microseconds(found["declared"]["cpu"]), ratio(found["cpu ratio"])
    if found := results.get("starts"):
        direct, bridge, warm = found["direct"], found["bridge"], found["bridge with a cache"]
        for word in ("median", "best"):
            yield (
                f"cold start to the first answer, {word}",
                f"{direct[word]:.0f} ms", f"{bridge[word]:.0f} ms", ratio(bridge[word] / direct[word]),
            )
        yield "the same with the tool lists kept from before, median", "", f"{warm['median']:.0f} ms", ""
    if found := results.get("memory"):
        yield "memory (PSS), idle with one upstream", "", f"{found['idle']:.1f} MiB", ""
        yield "memory (PSS), loaded by 64 connections", "", f"{found['loaded']:.1f} MiB", ""
        for key, word in (("calls", "calls"), ("sessions", "abandoned sessions")):
            growth = found[key]
            yield f"growth by {growth['requests']:,} {word}", "", f"{growth['growth']:+.1f} MiB", ""


def beside_bare(found: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The front and a bare NIOHTTP1 server."""
    for connections in ("16", "64"):
        front, bare = found[connections]["front"], found[connections]["bare"]
        yield f"{plural(connections)}: calls", rate(bare["rate"]), rate(front["rate"])
        yield f"{plural(connections)}: CPU per call", f"{bare['cpu']:.1f} µs", f"{front['cpu']:.1f} µs"
    front, bare = found["allocations"]["front"], found["allocations"]["bare"]
    yield "allocations per call", f"{bare:.1f}", f"{front:.1f}"
    yield "front's allocations beyond a bare NIOHTTP1 server", "", f"{front - bare:+.1f}"
    front, bare = found["memory"]["front"], found["memory"]["bare"]
    for key in ("never asked", "after a call"):
        title = f"memory of each of {front['connections']:,} idle connections, {key}"
        yield title, f"{bare[key]:.1f} KiB", f"{front[key]:.1f} KiB"


def bare_table(results: dict[str, Any]) -> str:
    lines = [("", "bare", "front"), *beside_bare(results["bare"])]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(line[i].rjust(widths[i]) for i in (1, 2))]).rstrip() for line in lines
    )


def table(lines: list[Row]) -> str:
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(line[i].rjust(widths[i]) for i in (1, 2, 3))]).rstrip() for line in lines
    )


def processes(results: dict[str, Any]) -> Iterator[str]:
    """Where the processor's time goes, for whoever wants to make it less."""
    for connections, found in results.get("calls", {}).items():
        bridge = found["bridge"]
        parts = [
            f"{role} {bridge['cpu by process'].get(role, 0):.1f} µs/{bridge['switches by process'].get(role, 0):.2f}"
            for role in ROLES
        ]
        yield f"{plural(connections):15} {', '.join(parts)}"


def text(results: dict[str, Any]) -> str:
    parts = [table([HEAD, *rows(results)])]
    if split := "\n".join(processes(results)):
        parts.append(f"CPU and wake-ups per call of each process (the child is the upstream's own, and not counted):\n{split}")
    if results.get("bare"):
        parts.append(bare_table(results))
    if found := results.get("memory"):
        idle = ", ".join(f"{role} {value:.1f}" for role, value in found["idle by process"].items())
        parts.append(f"idle memory by process, MiB: {idle}")
    verdicts = list(judge(results))
    width = max(len(verdict.what) for verdict in verdicts)
    parts.append("\n".join(
        f"{verdict.word:10}{verdict.what.ljust(width)}  {verdict.found:>12}  (wanted {verdict.wanted})"
        for verdict in verdicts
    ))
    parts.append(machine(results))
    return "\n\n".join(parts)


def machine(results: dict[str, Any]) -> str:
    found, others = results["machine"], results["others"]
    line = f"{found['cores']} cores ({found['processor']}), Linux {found['kernel']}, {results['seconds']:.0f} s"
    if others < 0.05:
        return line
    return f"{line}; others used {others:.0%} of the machine meanwhile: repeat when it is quiet"


def markdown(results: dict[str, Any]) -> str:
    def line(cells: tuple[str, ...]) -> str:
        return f"| {' | '.join(cells)} |"

    parts = [line(HEAD), "|---|---:|---:|---:|", *map(line, rows(results)), ""]
    parts += [line(("target", "wanted", "measured", "")), "|---|---:|---:|---|"]
    parts += [line((verdict.what, verdict.wanted, verdict.found, verdict.word.lower())) for verdict in judge(results)]
    if results.get("bare"):
        parts += ["", "| | bare NIOHTTP1 | front |", "|---|---:|---:|"]
        parts += [f"| {title} | {bare} | {front} |" for title, bare, front in beside_bare(results["bare"])]
    return "\n".join([*parts, "", machine(results)])
