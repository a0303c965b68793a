"""What the service tells systemd, when nobody reads it for a while."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import threading
from pathlib import Path

from command_line import beside
from harness import Bridges
from upstreams import MisbehavingUpstream, demo_upstream
from waiting import PATIENCE

Words = dict[str, str]


class Manager:
    """A service manager that does not read at first, and whose queue is full of another service's words."""

    def __init__(self, path: Path) -> None:
        self.path = path
        #: What the service has said, one datagram each; complete after ``finish``.
        self.heard: list[Words] = []
        self.has_heard = threading.Event()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._reader = threading.Thread(target=self._read, daemon=True)
        while self._fill():
            pass

    def read(self) -> None:
        """Reads from now on."""
        self._reader.start()

    def finish(self) -> None:
        """To be called when the service has ended: reads all that it has said."""
        with self._other() as other:
            other.sendto(b"END=1", str(self.path))
        self._reader.join(PATIENCE)
        assert not self._reader.is_alive()
        self._socket.close()

    def _fill(self) -> int:
        """What one sender gets in: it may reach its own limit before the queue's."""
        with self._other() as other:
            other.setblocking(False)
            for count in itertools.count():
                try:
                    other.sendto(b"OTHER=1", str(self.path))
                except BlockingIOError:
                    return count
        raise AssertionError("there is no end")

    @staticmethod
    def _other() -> socket.socket:
        return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def _read(self) -> None:
        while True:
            data, descriptors, _, _ = socket.recv_fds(self._socket, 65_536, 253)
            for descriptor in descriptors:
                os.close(descriptor)
            words = dict(line.split("=", 1) for line in data.decode().splitlines())
            if "END" in words:
                return
            if "FDSTORE" in words:
                assert descriptors
            if "OTHER" not in words:
                self.heard.append(words)
                self.has_heard.set()


def test_what_nobody_read_is_told_later_in_order_and_the_last_words_leave(bridges: Bridges, folder: Path) -> None:
    gate = folder / "gate"
    os.mkfifo(gate)
    slow = MisbehavingUpstream(folder, "slow")
    bridge = bridges.make({"demo": demo_upstream(), "slow": slow.entry})
    manager = Manager(bridge.folder / "notify")
    bridge.environment["NOTIFY_SOCKET"] = str(manager.path)
    bridge.start()
    bridge.wait_upstream("demo")
    bridge.wait_upstream("slow")
    assert beside(bridge, "reload").status == 0
    with bridge.client().open_call(slow.tool("hold"), {"gate": str(gate)}, progress_token="held") as call:
        call.wait_for("notifications/progress")
        os.kill(bridge.supervisor.pid, signal.SIGTERM)
        bridge.wait_logged("shutting down")
        # The service cannot end before it is heard: a call is still under way.
        manager.read()
        assert manager.has_heard.wait(PATIENCE), "nothing is told although there is room"
        with open(gate, "w", encoding="utf-8") as opened:
            opened.write("done")
        assert [event.message for event in call][-1]
    assert bridge.process is not None
    assert bridge.process.wait(PATIENCE) == 0
    manager.finish()

    def place(key: str, value: str = "1") -> list[int]:
        return [number for number, words in enumerate(said) if words.get(key) == value]

    said = manager.heard
    assert len(place("RELOADING")) == len(place("READY")) == len(place("STOPPING")) == 1, said
    reloading, ready, stopping = place("RELOADING")[0], place("READY")[0], place("STOPPING")[0]
    assert reloading < ready < stopping, said
    # Nothing is stored under a name before that name has been emptied, and all of it before the reload that came later.
    for name in ("stored-http", "stored-local"):
        removed, stored = [
            [number for number in place(key) if said[number]["FDNAME"] == name] for key in ("FDSTOREREMOVE", "FDSTORE")
        ]
        assert removed and stored, said
        assert max(removed) < min(stored) <= max(stored) < reloading, said
    assert said[ready]["STATUS"] == "2/2 upstreams ready, 0 sessions", said
    assert "STATUS" in said[stopping] and "EXTEND_TIMEOUT_USEC" in said[stopping], said
    # Of what is said every second only the newest waited.
    assert sum("EXTEND_TIMEOUT_USEC" in words for words in said[:stopping]) == 0, said
