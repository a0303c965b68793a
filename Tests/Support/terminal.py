"""A person at a terminal: runs the executable on a pseudo-terminal, reads what it shows and types."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import subprocess
import termios
import threading
from pathlib import Path

from places import BINARY
from waiting import PATIENCE


class Terminal:
    """One command. Its standard output is kept apart, as `mcp-bridge call … | jq` would have it."""

    def __init__(self, *arguments: str, environment: dict[str, str], folder: Path, piped: bool = False) -> None:
        """With `piped`, only the controlling terminal is one: standard input and error are not."""
        # Ours stays open: a terminal that nobody has open any more is gone for its reader.
        self._master, self._slave = pty.openpty()
        slave = self._slave
        path = os.ttyname(slave)

        def own_terminal() -> None:
            fcntl.ioctl(os.open(path, os.O_RDWR), termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [BINARY, *arguments],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL if piped else slave,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if piped else slave,
            start_new_session=True,
            preexec_fn=own_terminal,
        )
        self._shown = ""
        self._seen = 0
        self._grew = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *arguments: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        os.close(self._slave)
        # Nobody has the terminal open any more, which ends who reads it: before its number is somebody else's.
        self._reader.join(PATIENCE)
        os.close(self._master)

    @property
    def shown(self) -> str:
        """All that has stood there so far, what was typed included."""
        with self._grew:
            return self._shown

    def expect(self, text: str) -> str:
        """Waits for a text behind the last one that was waited for. Returns what came up to its end."""
        with self._grew:
            found = self._grew.wait_for(lambda: text in self._shown[self._seen :], PATIENCE)
            assert found, f"never shown: {text!r}; shown: {self._shown[self._seen :]!r}"
            start = self._seen
            self._seen = self._shown.index(text, start) + len(text)
            return self._shown[start : self._seen]

    def type(self, line: str) -> None:
        os.write(self._master, (line + "\n").encode())

    def press(self, letter: str) -> None:
        """Ctrl and a letter."""
        os.write(self._master, bytes([ord(letter.upper()) - 64]))

    def end(self) -> tuple[int, str]:
        """Waits for the command's end: its exit status, and its standard output."""
        out, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out.decode()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._master, 4096):
                with self._grew:
                    self._shown += data.decode(errors="replace").replace("\r\n", "\n")
                    self._grew.notify_all()
