"""Holds many idle connections open, from a process of its own: `idle_connections.py HOST PORT COUNT`.

Says `open N` when all of them are, or as many as it got in two minutes, and ends with its stdin. Standard library only.
"""

import selectors
import socket
import sys
import time

#: For all of them together (seconds).
PATIENCE = 120.0


def main() -> None:
    host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    selector = selectors.DefaultSelector()
    held: list[socket.socket] = []
    deadline = time.monotonic() + PATIENCE
    pending = 0
    failed = 0
    for _ in range(count):
        if time.monotonic() > deadline:
            break
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex((host, port))
        held.append(connection)
        selector.register(connection, selectors.EVENT_WRITE)
        pending += 1
        # Not more than the backlog at once.
        while pending >= 100 and time.monotonic() < deadline:
            pending, failed = _settle(selector, pending, failed)
    while pending and time.monotonic() < deadline:
        pending, failed = _settle(selector, pending, failed)
    print(f"open {len(held) - failed - pending}", flush=True)
    sys.stdin.read()


def _settle(selector: selectors.DefaultSelector, pending: int, failed: int) -> tuple[int, int]:
    for key, _ in selector.select(timeout=1):
        selector.unregister(key.fileobj)
        pending -= 1
        if key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            failed += 1
    return pending, failed


if __name__ == "__main__":
    main()
