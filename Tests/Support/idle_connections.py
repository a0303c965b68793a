"""Holds many idle connections open, from a process of its own: `idle_connections.py HOST PORT COUNT`.

Says `open N` when all of them are (or were refused), and ends with its stdin. Standard library only.
"""

import selectors
import socket
import sys


def main() -> None:
    host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    selector = selectors.DefaultSelector()
    held: list[socket.socket] = []
    pending = 0
    failed = 0
    for _ in range(count):
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex((host, port))
        held.append(connection)
        selector.register(connection, selectors.EVENT_WRITE)
        pending += 1
        # Not more than the backlog at once.
        while pending >= 100:
            pending, failed = _settle(selector, pending, failed)
    while pending:
        pending, failed = _settle(selector, pending, failed)
    print(f"open {count - failed}", flush=True)
    sys.stdin.read()


def _settle(selector: selectors.DefaultSelector, pending: int, failed: int) -> tuple[int, int]:
    ready = selector.select(timeout=10)
    if not ready:
        raise SystemExit("nobody takes the connections")
    for key, _ in ready:
        selector.unregister(key.fileobj)
        pending -= 1
        if key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            failed += 1
    return pending, failed


if __name__ == "__main__":
    main()
