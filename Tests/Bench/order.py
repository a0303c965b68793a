"""Which functions stand next to each other in the release: those that a call enters, and after them those of a start.

A program's functions lie in its file by module, most of which are never entered. A page is read, and shared among the processes,
as a whole: where the functions that are entered stand together, there are fewer of them. `scripts/order` runs this.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from load import Generator, Load
from rig import PATIENCE, Bridge, Unmeasurable

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


class Entered(threading.Thread):
    """Hears which functions are entered, over a pipe with a name."""

    def __init__(self, pipe: Path) -> None:
        # A program that has never opened the pipe leaves it waiting.
        super().__init__(daemon=True)
        self._pipe = pipe
        self._is_anew = threading.Event()
        #: Addresses that were met before it began anew, and after that.
        self.before: list[int] = []
        self.after: list[int] = []
        os.mkfifo(pipe)
        self.start()

    def run(self) -> None:
        with self._pipe.open(encoding="ascii") as lines:
            for line in lines:
                if line == "again\n":
                    self._is_anew.set()
                else:
                    (self.after if self._is_anew.is_set() else self.before).append(int(line, 16))

    def wait_anew(self) -> None:
        if not self._is_anew.wait(PATIENCE):
            raise Unmeasurable("functions that are entered are not written down anew")


class Watched(Bridge):
    """A bridge whose functions are written down when they are entered."""

    def __init__(self, binary: Path, programs: Path, addresses: Path, entered: Path) -> None:
        super().__init__(binary, programs)
        self._watch = [str(programs / "entered"), str(addresses), str(entered)]

    def command(self) -> list[str]:
        return [*self._watch, *super().command()]

    def begin_anew(self) -> None:
        os.kill(self.pid, signal.SIGUSR1)


def order(binary: Path, programs: Path) -> list[str]:
    named = functions(binary)
    with tempfile.TemporaryDirectory(prefix="mcpb-order-") as folder:
        addresses, pipe = Path(folder, "addresses"), Path(folder, "entered")
        addresses.write_text("".join(f"{address:x}\n" for address in sorted(named)), encoding="ascii")
        entered = Entered(pipe)
        with Watched(binary, programs, addresses, pipe) as bridge:
            generator = Generator(programs)
            loads = [Load(connections=connections, requests=CALLS) for connections in (1, 16)]
            for load in loads:
                generator.run(bridge, load)
            bridge.begin_anew()
            entered.wait_anew()
            for load in loads:
                generator.run(bridge, load)
        entered.join(PATIENCE)
    return list(dict.fromkeys(named[address] for address in entered.after + entered.before))


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
