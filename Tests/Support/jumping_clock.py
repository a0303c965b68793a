"""A machine that was asleep, as the processes of one bridge see it: see jumping_clock.c."""

from __future__ import annotations

import mmap
import os
import shutil
import struct
import subprocess
from pathlib import Path

from places import SUPPORT
from processes import Process

#: /etc/ld.so.preload reaches every process whatever its environment, and the workers' is made by the supervisor. So the
#: bridge gets an /etc of its own, in a mount namespace of its own. `exec` all the way: the bridge keeps the first pid.
WITH_ETC = 'mount --bind "$1" /etc && shift && exec "$@"'


class JumpingClock:
    def __init__(self, folder: Path) -> None:
        self._library = folder / "jumping_clock.so"
        file = folder / "ahead"
        file.write_bytes(bytes(mmap.PAGESIZE))
        file.chmod(0o644)
        with open(file, "r+b") as opened:
            self._ahead = mmap.mmap(opened.fileno(), mmap.PAGESIZE)
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", f'-DCLOCK_FILE="{file}"']
            + ["-o", str(self._library), str(SUPPORT / "jumping_clock.c")],
            check=True,
        )
        self._etc = folder / "etc"
        # What cannot be copied (a socket, say) is nothing that a bridge reads.
        shutil.copytree("/etc", self._etc, symlinks=True, ignore_dangling_symlinks=True)
        (self._etc / "ld.so.preload").write_text(f"{self._library}\n", encoding="utf-8")

    @property
    def prefix(self) -> tuple[str, ...]:
        """What executes the bridge."""
        return ("unshare", "--mount", "--propagation", "private", "sh", "-c", WITH_ETC, "sh", str(self._etc))

    def jump(self, seconds: int) -> None:
        (ahead,) = struct.unpack_from("=q", self._ahead)
        struct.pack_into("=q", self._ahead, 0, ahead + seconds)

    def reaches(self, process: Process) -> bool:
        return str(self._library) in Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8")

    @staticmethod
    def why_not() -> str | None:
        """Why it cannot be used here."""
        if os.geteuid() != 0:
            return "only root can give the bridge an /etc of its own, by which the clock reaches its workers"
        return None if shutil.which("gcc") else "there is no gcc to build the clock with"
