"""The link between the bridge's processes, as bytes: enough of it to be let in."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

from waiting import PATIENCE


class RawLink:
    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(path)

    def __enter__(self) -> RawLink:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, frame: dict[str, Any]) -> None:
        body = json.dumps(frame, separators=(",", ":")).encode()
        self._socket.sendall(struct.pack(">I", len(body)) + body)

    def receive(self) -> dict[str, Any]:
        (length,) = struct.unpack(">I", self._read(4))
        found = json.loads(self._read(length))
        assert isinstance(found, dict)
        return found

    def _read(self, count: int) -> bytes:
        read = b""
        while len(read) < count:
            more = self._socket.recv(count - len(read))
            assert more, "the link was closed"
            read += more
        return read
