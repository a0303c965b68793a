"""How often each process of a bridge asks for memory, per call, in a release build as it is.

A library that counts (count_allocations.c) is loaded in place of one that the bridge needs, which lies behind it. The
supervisor hands LD_LIBRARY_PATH on to its workers. Counting takes time, so nothing is timed in the same run.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from load import Generator, Load
from rig import Bridge, Unmeasurable

#: Libraries that the counting one itself needs, or that is loaded before everything.
_NOT_THESE = ("libc.so", "ld-linux", "linux-vdso")


@dataclass(frozen=True)
class Counter:
    """The counting library for one binary."""

    #: The file name under which the binary finds it.
    library: Path

    @staticmethod
    def build(binary: Path, programs: Path) -> Counter:
        found = subprocess.run(["ldd", binary], capture_output=True, text=True)
        needed = dict(re.findall(r"^\s*(\S+) => (/\S+)", found.stdout, re.MULTILINE))
        name = next((each for each in needed if not each.startswith(_NOT_THESE)), None)
        if name is None:
            raise Unmeasurable(f"{binary} loads no library whose place the counting one could take")
        make = ["make", "--silent", f"--directory={Path(__file__).parent}", "counter"]
        done = subprocess.run(
            [*make, f"BIN={programs}", f"NAME={name}", f"BEHIND={needed[name]}"], capture_output=True, text=True
        )
        if done.returncode != 0:
            raise Unmeasurable(f"the counting library cannot be built: {done.stderr[-300:]}")
        return Counter(programs / "counter" / name)


class CountedBridge(Bridge):
    """A bridge whose processes count their allocations."""

    def __init__(self, binary: Path, programs: Path, counter: Counter) -> None:
        super().__init__(binary, programs)
        self._counts = self.folder / "counts"
        self._counts.mkdir(mode=0o700)
        shutil.copy(counter.library, self._counts)

    def environment(self) -> dict[str, str]:
        return super().environment() | {"LD_LIBRARY_PATH": str(self._counts)}

    def counts(self) -> dict[str, int]:
        """So many times each of the bridge's own processes has asked so far."""
        found: dict[str, int] = {}
        for pid, role in self.roles().items():
            if role == "child":
                continue
            file = self._counts / str(pid)
            if not file.exists():
                raise Unmeasurable(f"the {role} process does not load the counting library")
            found[role] = int.from_bytes(file.read_bytes(), "little")
        return found


def per_call(bridge: CountedBridge, generator: Generator, connections: int, calls: int) -> dict[str, float]:
    """Allocations of each process per call.

    The difference of a short run and a longer one: what the connections and sessions themselves take is in both.
    """
    totals: list[dict[str, int]] = []
    for requests in (calls, 3 * calls):
        before = bridge.counts()
        generator.run(bridge, Load(connections=connections, requests=requests))
        after = bridge.counts()
        if before.keys() != after.keys():
            raise Unmeasurable("a process was started anew meanwhile")
        totals.append({role: after[role] - before[role] for role in after})
    short, long = totals
    return {role: (long[role] - short[role]) / (2 * calls) for role in long}
