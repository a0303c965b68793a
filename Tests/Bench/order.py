"""Which functions stand next to each other in the release: those that a call enters, and after them those of a start.

A program's functions lie in its file by module, most of which are never entered. A page is read, and shared among the processes,
as a whole: where the functions that are entered stand together, there are fewer of them. `scripts/order` runs this.
"""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from load import Generator, Load
from rig import Bridge, Unmeasurable

#: Enough that nothing of a call happens for the first time later.
CALLS = 2_000


def functions(binary: Path) -> dict[int, str]:
    """Names by address, of those in the section .text."""
    command = ["readelf", "--sections", "--symbols", "--wide", str(binary)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    text = re.search(r"\[ *(\d+)\] \.text ", listed)
    if text is None:
        raise Unmeasurable(f"{binary} has no section .text")
    found: dict[int, str] = {}
    for line in listed.splitlines():
        fields = line.split()
        if len(fields) == 8 and fields[3] == "FUNC" and fields[6] == text[1] and fields[2] != "0":
            found.setdefault(int(fields[1], 16), fields[7])
    return found


class Watched(Bridge):
    """A bridge whose functions are written down when they are entered."""

    def __init__(self, binary: Path, programs: Path, addresses: Path, entered: Path) -> None:
        super().__init__(binary, programs)
        self._watch = [str(programs / "entered"), str(addresses), str(entered)]

    def command(self) -> list[str]:
        return [*self._watch, *super().command()]

    def begin_anew(self, entered: Path) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGUSR1)
        # It looks at signals when a process stops for it, too.
        for _ in range(100):
            if "again" in entered.read_text(encoding="ascii"):
                return
            time.sleep(0.1)
        raise Unmeasurable("functions that are entered are not written down anew")


def order(binary: Path, programs: Path) -> list[str]:
    named = functions(binary)
    with tempfile.TemporaryDirectory(prefix="mcpb-order-") as folder:
        addresses, entered = Path(folder, "addresses"), Path(folder, "entered")
        addresses.write_text("".join(f"{address:x}\n" for address in sorted(named)), encoding="ascii")
        with Watched(binary, programs, addresses, entered) as bridge:
            generator = Generator(programs)
            loads = [Load(connections=connections, requests=CALLS) for connections in (1, 16)]
            for load in loads:
                generator.run(bridge, load)
            bridge.begin_anew(entered)
            for load in loads:
                generator.run(bridge, load)
        at_first, _, later = entered.read_text(encoding="ascii").partition("again\n")
    return list(dict.fromkeys(named[int(line, 16)] for line in (later + at_first).split()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--programs", type=Path, required=True, help="the folder of the benchmark's programs")
    options = parser.parse_args()
    try:
        print("\n".join(order(options.binary.resolve(), options.programs.resolve())))
    except Unmeasurable as problem:
        print(f"order: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
