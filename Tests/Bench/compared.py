"""Two builds beside each other, for people: every row with its verdict, and where processor time and memory go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from against import Against, plural
from report import ROLES, machine, piped, table
from verdicts import LIMIT, Comparison, Kind, Verdict, ratio

Cells = tuple[str, ...]


def value(kind: Kind, number: float) -> str:
    match kind:
        case Kind.RATE:
            return f"{number:,.0f}/s"
        case Kind.MEMORY:
            return f"{number:,.1f} MiB"
        case Kind.KIBIBYTES:
            return f"{number:,.1f} KiB"
        case Kind.RATIO:
            return f"{number:.2f} x"
        case Kind.MILLISECONDS:
            return f"{number:,.0f} ms"
        case Kind.MICROSECONDS:
            return f"{number:,.1f} µs" if number < 100 else f"{number:,.0f} µs"


def row(compared: Comparison) -> Cells:
    that, this = compared.medians
    return (
        compared.title,
        value(compared.kind, that),
        value(compared.kind, this),
        f"{compared.ratio:.3f}",
        f"{compared.spread:.1%}",
        compared.verdict.value,
    )


def processes(
    found: dict[int, dict[str, dict[str, float]]], that: str, this: str, bare: dict[int, float] | None = None
) -> Iterator[Cells]:
    """The figures of each process, by how many connections there were; of the front also what is beyond a bare server's."""
    for connections, builds in found.items():
        roles = [role for role in ROLES if role != "child" and role in builds[that] | builds[this]]
        sums = [sum(builds[build].get(role, 0.0) for role in roles) for build in (that, this)]
        for role in roles:
            one, other = builds[that].get(role, 0.0), builds[this].get(role, 0.0)
            yield f"{plural(connections)}: {role}", f"{one:.1f}", f"{other:.1f}", f"{ratio(other, one):.3f}"
            if bare and role == "http":
                alone = bare[connections]
                title = f"{plural(connections)}: http, beyond a bare NIOHTTP1 server"
                yield title, f"{one - alone:+.1f}", f"{other - alone:+.1f}", ""
        yield f"{plural(connections)}: all", f"{sums[0]:.1f}", f"{sums[1]:.1f}", f"{ratio(sums[1], sums[0]):.3f}"


def tables(against: Against) -> Iterator[tuple[str, list[Cells]]]:
    that, this = against.that.name, against.this.name
    if against.rows:
        head = ("", that, this, "ratio", "spread", "verdict")
        yield "", [head, *map(row, against.rows)]
    for title, found, bare in (
        ("CPU per call of each process, in µs", against.cpu, None),
        ("allocations per call of each process", against.allocations, against.bare_allocations),
    ):
        if found:
            yield title, [("", that, this, "ratio"), *processes(found, that, this, bare)]


def text(against: Against, results: dict[str, Any], *, markdown: bool = False) -> str:
    parts = []
    for title, lines in tables(against):
        head = f"{title}:\n" if title else ""
        parts.append(f"{head}\n{piped(lines)}".lstrip("\n") if markdown else head + table(lines))
    if against.uncounted:
        parts.append(f"Allocations could not be counted: {against.uncounted}")
    worse = [each.title for each in against.rows if each.verdict is Verdict.WORSE]
    judged = f"Worse: {'; '.join(worse)}." if worse else "No row is worse."
    parts.append(
        f"{judged} (A row is when the median of this build's runs is more than {LIMIT:.0%} worse and further off than two"
        " runs of one build are from each other, which is the spread.)"
    )
    parts.append("Took " + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in against.seconds.items()) + ".")
    parts.append(machine(results))
    return "\n\n".join(parts)


def figures(against: Against) -> dict[str, Any]:
    """Everything, for a file."""
    return {
        "that": against.that.name,
        "this": against.this.name,
        "rows": [
            {
                "title": each.title,
                "unit": each.kind.value,
                "that": list(each.that),
                "this": list(each.this),
                "same": list(each.same),
                "ratio": each.ratio,
                "spread": each.spread,
                "verdict": each.verdict.value,
            }
            for each in against.rows
        ],
        "cpu": against.cpu,
        "allocations": against.allocations,
        "bare allocations": against.bare_allocations,
        "seconds by measurement": against.seconds,
        "uncounted": against.uncounted,
        "failed": against.failed,
    }
