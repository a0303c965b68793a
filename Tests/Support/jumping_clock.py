"""A machine that was asleep, as the processes of one bridge see it: see jumping_clock.c."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from preloaded import Preloaded


class JumpingClock(Preloaded):
    def __init__(self, folder: Path) -> None:
        file = folder / "ahead"
        file.write_bytes(bytes(mmap.PAGESIZE))
        file.chmod(0o644)
        with open(file, "r+b") as opened:
            self._ahead = mmap.mmap(opened.fileno(), mmap.PAGESIZE)
        super().__init__(folder, "jumping_clock.c", CLOCK_FILE=file)

    def jump(self, seconds: int) -> None:
        (ahead,) = struct.unpack_from("=q", self._ahead)
        struct.pack_into("=q", self._ahead, 0, ahead + seconds)
