"""The results for people: a table for the terminal, the same in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from targets import judge

Row = tuple[str, str, str, str]
HEAD: Row = ("", "direct", "bridge", "ratio")
BESIDE_BARE = ("", "bare NIOHTTP1", "front")
BY_HTTP = ("a server over HTTP", "async-http-client alone", "on stdio", "over HTTP")
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
    if found := results.get("tokens"):
        title = "calls with a token, and a row of the audit for each, to those without"
        yield f"{title}: calls", "", rate(found["with"]["rate"]), ratio(found["rate ratio"])
        yield f"{title}: CPU per call", "", microseconds(found["with"]["cpu"]), ratio(found["cpu ratio"])
        title = "calls with one of 10,000 tokens, to those with the only one"
        yield f"{title}: p50", "", microseconds(found["among many"]["p50"]), ratio(found["p50 ratio"])
    if found := results.get("chat"):
        yield from chats(found)
    if found := results.get("http", {}).get("signed in"):
        title = "calls of a server over HTTP that is signed in to, to those of one that is not"
        yield f"{title}: calls", "", rate(found["rate"]["value"]), ratio(found["rate"]["ratio"])
        yield f"{title}: CPU per call", "", microseconds(found["cpu"]["value"]), ratio(found["cpu"]["ratio"])
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


def chats(found: dict[str, Any]) -> Iterator[Row]:
    """Of the sandbox, which answers with a row of the audit and two records in the log; and of a client that lends."""
    for connections in ("1", "16"):
        title = f"chat completions of the sandbox, {plural(connections)}"
        yield from compared(title, found[connections], full=False)
    stream = found["stream"]
    direct, bridge = stream["direct"]["first byte"], stream["bridge"]["first byte"]
    title = "chat streams of the sandbox, 1 connection: first byte"
    yield title, microseconds(direct), microseconds(bridge), ratio(stream["first byte ratio"])
    own, through = found["lent"]["own"], found["lent"]["p50"]
    title = "chat completions through a client, beside its own time: p50"
    yield title, microseconds(own), microseconds(through), ratio(through / own)


def journal(found: dict[str, int]) -> str:
    """What the journal and the audit have of the chats."""
    return (
        f"{found['requests']:,} chats: {found['rows']:,} rows in the audit; in the journal {found['records']:,} records, "
        f"{found['answers']:,} of them of answers; the log dropped {found['counted']:,}, and said so of {found['told']:,}"
    )


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


def shares(found: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """What processor time goes to, with a head: by process, and in all."""
    title = f"{plural(str(found['connections']))}, {bytes_of(found['size'])} arguments"
    yield f"{title}: µs of CPU per call", "front", "session", "upstream", "all"
    processes = list(found["cpu"].values())
    for kind in processes[0]:
        yield kind, *(f"{process[kind]:.0f}" for process in processes), f"{sum(each[kind] for each in processes):.0f}"
    totals = [sum(process.values()) for process in processes]
    yield "in all", *(f"{total:.0f}" for total in totals), f"{sum(totals):.0f}"


def by_http(found: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """A bridge to a server over HTTP, beside one to it on stdio, and beside the library alone."""
    for connections in ("1", "16"):
        each = found[connections]
        title, stdio, http = plural(connections), each["stdio"], each["http"]
        yield f"{title}: p50", "", microseconds(stdio["p50"]), microseconds(http["p50"])
        yield f"{title}: calls", rate(each["alone"]["rate"]), rate(stdio["rate"]), rate(http["rate"])
        worker = stdio["cpu by process"].get("upstream", 0.0)
        yield (
            f"{title}: CPU per call, of the upstream's worker", f"{each['alone']['cpu']:.1f} µs", f"{worker:.1f} µs",
            f"{each['upstream cpu']:.1f} µs")


def table(lines: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]

    def padded(line: tuple[str, ...]) -> str:
        cells = [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        return "  ".join(cells).rstrip()

    return "\n".join(map(padded, lines))


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
    parts = []
    if found := list(rows(results)):
        parts.append(table([HEAD, *found]))
    if split := "\n".join(processes(results)):
        parts.append(f"CPU and wake-ups per call of each process (the child is the upstream's own, and not counted):\n{split}")
    if found := results.get("chat", {}).get("journal"):
        parts.append(journal(found))
    if found := results.get("bare"):
        parts.append(table([BESIDE_BARE, *beside_bare(found)]))
    if found := results.get("http"):
        parts.append(table([BY_HTTP, *by_http(found)]))
    if found := results.get("shares"):
        parts.append(f"CPU by what it is spent on: {found['unknown']}" if "unknown" in found else table([*shares(found)]))
    if found := results.get("memory"):
        idle = ", ".join(f"{role} {value:.1f}" for role, value in found["idle by process"].items())
        parts.append(f"idle memory by process, MiB: {idle}")
    if verdicts := list(judge(results)):
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


def piped(lines: Sequence[tuple[str, ...]]) -> str:
    """A table in Markdown; what is not a title is a figure."""
    head, *rest = (f"| {' | '.join(line)} |" for line in lines)
    return "\n".join([head, "|---" + "|---:" * (len(lines[0]) - 1) + "|", *rest])


def markdown(results: dict[str, Any]) -> str:
    """The tables of docs/performance.md, in their order."""
    parts = []
    if found := list(rows(results)):
        parts.append(piped([HEAD, *found]))
    if verdicts := [(each.what, each.wanted, each.found, each.word.lower()) for each in judge(results)]:
        parts.append(piped([("target", "wanted", "measured", ""), *verdicts]))
    if found := results.get("bare"):
        parts.append(piped([BESIDE_BARE, *beside_bare(found)]))
    if found := results.get("http"):
        parts.append(piped([BY_HTTP, *by_http(found)]))
    if (found := results.get("shares")) and "unknown" not in found:
        parts.append(piped([*shares(found)]))
    return "\n\n".join([*parts, machine(results)])
