"""An HTTP server in threads of the test. What it answers is its owner's: sockets are written by hand, so that an answer can
be as wrong as it must be."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ports import free_port


class ThreadedHTTP:
    """Serves until it is stopped; each whole request goes to ``answer``, with its body."""

    def __init__(
        self, answer: Callable[[BaseHTTPRequestHandler, bytes], Any], host: str = "127.0.0.1", port: int = 0,
        certificate: tuple[str, str] | None = None,
    ) -> None:  # fmt: skip
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                if len(body) == length:  # else the connection was dropped amid it
                    answer(self, body)

            do_GET = do_POST = do_DELETE = do_HEAD = answer

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads, request_queue_size, allow_reuse_address = True, 128, True

            def get_request(self) -> Any:
                connection, address = super().get_request()
                owner._connections.append(connection)
                return connection, address

            def handle_error(self, *_: object) -> None:
                pass

        self._connections: list[socket.socket] = []
        # One that it may have again when it is started anew.
        self._http = Quiet((host, port or free_port()), Handler)
        self.port = int(self._http.server_address[1])
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """As when its process is killed: nobody listens, and every connection ends."""
        self._http.shutdown()
        self._http.server_close()
        self.drop_connections()

    def drop_connections(self) -> None:
        connections, self._connections = self._connections, []
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
