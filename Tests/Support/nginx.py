"""A real nginx in front of bridges: one that says whom it speaks for, and one that does not."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

from harness import Bridge
from ports import free_port
from waiting import PATIENCE, eventually

#: Debian has it where only root looks for programs.
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")

_SERVER = """
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://{target};
            {fields}
        }}
    }}"""

_CONFIGURATION = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_http_version 1.1;
    proxy_buffering off;
    proxy_read_timeout 1h;
    {servers}
}}
"""

#: What people copy from each other.
_TELLING = """
            proxy_set_header Host $host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;"""


class Nginx:
    """Serves a bridge on ports of its own for as long as it is entered: `ways` says which is which."""

    def __init__(self, bridge: Bridge, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        #: The port of each way: over TCP or the Unix socket, telling of its client or silent.
        self.ways: dict[str, int] = {}
        targets = {"TCP": f"127.0.0.1:{bridge.port}", "socket": f"unix:{bridge.local_socket}:"}
        servers = []
        for target, place in targets.items():
            for manner, fields in (("telling", _TELLING), ("silent", "")):
                port = self.ways[f"{manner} {target}"] = free_port()
                servers.append(_SERVER.format(port=port, target=place, fields=fields))
        # The socket lies in a folder of this user's.
        user = "user root;" if os.geteuid() == 0 else ""
        self._file = folder / "nginx.conf"
        self._file.write_text(_CONFIGURATION.format(user=user, folder=folder, servers="".join(servers)), encoding="utf-8")

    def __enter__(self) -> Nginx:
        assert NGINX is not None
        self._process = subprocess.Popen(
            [NGINX, "-c", self._file, "-p", self._folder, "-e", self._folder / "error.log"], stdin=subprocess.DEVNULL
        )
        for port in self.ways.values():
            eventually(lambda: self._accepts(port), f"nginx listens on port {port}")  # noqa: B023
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(PATIENCE)

    def _accepts(self, port: int) -> bool:
        assert self._process is not None and self._process.poll() is None, (self._folder / "error.log").read_text()
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            return False
        return True
