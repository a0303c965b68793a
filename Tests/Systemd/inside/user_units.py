"""The user units, in a user's own systemd manager."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_raw import RawConnection
from systemd_service import SOURCE, run, systemctl

USER = "somebody"
SOCKETS = ("mcp-bridge.socket", "mcp-bridge-local.socket", "mcp-bridge-control.socket")


class UserManager:
    """`systemd --user` of a user who is logged in nowhere."""

    def __init__(self) -> None:
        account = pwd.getpwnam(USER)
        self.uid, self.home = account.pw_uid, Path(account.pw_dir)
        self.runtime = Path(f"/run/user/{self.uid}")
        self.runtime.mkdir(mode=0o700, parents=True)
        os.chown(self.runtime, account.pw_uid, account.pw_gid)
        self.environment = [f"HOME={self.home}", f"XDG_RUNTIME_DIR={self.runtime}"]
        settings = [f"--setenv={each}" for each in self.environment]
        properties = [f"-pUser={USER}", "-pType=notify", "-pDelegate=yes", "-pSlice=user.slice"]
        run("systemd-run", "--unit=manager", *properties, *settings, "/lib/systemd/systemd", "--user")

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        path = "PATH=/usr/local/bin:/usr/bin:/bin"
        return run("setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "env", "-i", path,
                   *self.environment, *command, check=check)  # fmt: skip

    def systemctl(self, *arguments: str, check: bool = True) -> str:
        return self.run("systemctl", "--user", *arguments, check=check).stdout.strip()


@pytest.fixture(scope="module")
def manager() -> Iterator[UserManager]:
    run("useradd", "--create-home", "--shell", "/bin/sh", USER)
    manager = UserManager()
    manager.run(str(SOURCE / "scripts/install"), "--user", "--binary", os.environ["MCP_BRIDGE_BINARY"])
    yield manager
    systemctl("stop", "manager.service")


def test_each_socket_of_the_user_starts_the_users_service(manager: UserManager) -> None:
    manager.systemctl("enable", "--now", *SOCKETS)
    for address in (("127.0.0.1", 8769), str(manager.runtime / "mcp-bridge/http.sock")):
        manager.systemctl("stop", "mcp-bridge.service")
        assert manager.systemctl("is-active", "mcp-bridge.service", check=False) == "inactive"
        with RawConnection(address) as connection:
            assert connection.request("GET", "/").status == 200
        # Joins the start that the connection has begun.
        manager.systemctl("start", "mcp-bridge.service")
    manager.run(str(manager.home / ".local/bin/mcp-bridge"), "status")
    manager.systemctl("reload", "mcp-bridge.service")


def test_the_service_is_the_users_own(manager: UserManager) -> None:
    manager.systemctl("start", "mcp-bridge.service")
    pid = manager.systemctl("show", "-P", "MainPID", "mcp-bridge.service")
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    assert f"Uid:\t{manager.uid}\t" in status
    for name in ("http.sock", "control.sock"):
        file = manager.runtime / "mcp-bridge" / name
        assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (manager.uid, 0o600)


def test_removal_leaves_the_configuration(manager: UserManager) -> None:
    manager.run(str(SOURCE / "scripts/uninstall"), "--user")
    assert manager.systemctl("is-active", "mcp-bridge.service", check=False) == "inactive"
    assert not (manager.home / ".local/bin/mcp-bridge").exists()
    assert (manager.home / ".config/mcp-bridge/config.json.example").exists()
