"""A library of the tests' own, loaded into every process of one bridge."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from places import SUPPORT
from processes import Process

#: /etc/ld.so.preload reaches every process whatever its environment, and the workers' is made by the supervisor. So the
#: bridge gets an /etc of its own, in a mount namespace of its own. `exec` all the way: the bridge keeps the first pid.
WITH_ETC = 'mount --bind "$1" /etc && shift && exec "$@"'


class Preloaded:
    """Built from a C file beside this one; the definitions are strings that it is compiled with."""

    def __init__(self, folder: Path, source: str, **definitions: Path | str) -> None:
        self._library = folder / Path(source).with_suffix(".so").name
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror"]
            + [f'-D{name}="{value}"' for name, value in definitions.items()]
            + ["-o", str(self._library), str(SUPPORT / source)],
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

    def reaches(self, process: Process) -> bool:
        return str(self._library) in Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8")

    @staticmethod
    def why_not() -> str | None:
        """Why it cannot be used here."""
        if os.geteuid() != 0:
            return "only root can give the bridge an /etc of its own, by which a library reaches its workers"
        return None if shutil.which("gcc") else "there is no gcc to build the library with"
