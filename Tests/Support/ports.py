"""Ports for servers of the tests, and for bridges."""

from __future__ import annotations

import contextlib
import os
import random
import socket
from pathlib import Path

_FIRST = 10_000
#: What this process has given: a bridge that is stopped, or not started yet, will want its port.
_given: set[int] = set()


def free_port() -> int:
    """A port that nobody has, and that nobody is given meanwhile, until it is bound and while its server is started anew:
    no other test, here or in another process of pytest, and no outgoing connection, to which the kernel gives higher ones."""
    own = _own()
    if len(_given) > len(own) // 2:
        _given.clear()
    while True:
        port = random.choice(own)
        if port in _given:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _given.add(port)
            return port


def _own() -> range:
    """This process's part of those that the kernel gives to nobody by itself."""
    first_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    ports = range(_FIRST, max(first_outgoing, 2 * _FIRST))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return ports[number :: int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))]
