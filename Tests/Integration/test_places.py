"""The commands use no socket that somebody else can have laid out."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import command_line
import pytest

NOBODY = 65534
COMMANDS = [["status"], ["status", "--json"], ["reload"], ["tools"], ["call", "demo.echo", '{"text": "secret"}']]


@pytest.fixture
def trap(folder: Path) -> Iterator[socket.socket]:
    """Somebody who listens where a command looks for the service, in a folder that is ours so far."""
    (folder / "mcp-bridge").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "mcp-bridge/control.sock"))
        os.link(folder / "mcp-bridge/control.sock", folder / "mcp-bridge/http.sock")
        listener.listen()
        listener.setblocking(False)
        yield listener


def assert_avoids(folder: Path, command: list[str], trap: socket.socket, why: str) -> None:
    said = command_line.run(*command, environment={"XDG_RUNTIME_DIR": str(folder)}, folder=folder)
    assert said.status in (1, 3) and said.out == "", said
    assert f"{folder}/mcp-bridge {why}" in said.err and "--control" in said.err, said
    with pytest.raises(BlockingIOError):
        trap.accept()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_folder_of_another_user_is_not_used(folder: Path, trap: socket.socket, command: list[str]) -> None:
    os.chown(folder / "mcp-bridge", NOBODY, NOBODY)
    assert_avoids(folder, command, trap, f"belongs to user {NOBODY}")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_link_to_a_folder_is_not_followed(folder: Path, trap: socket.socket, command: list[str]) -> None:
    (folder / "mcp-bridge").rename(folder / "elsewhere")
    (folder / "mcp-bridge").symlink_to(folder / "elsewhere")
    assert_avoids(folder, command, trap, "is not a folder")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_without_a_runtime_directory_the_folder_in_tmp_must_be_the_users(folder: Path) -> None:
    user = 61234
    place = Path(f"/tmp/mcp-bridge-{user}")
    place.mkdir(mode=0o755)
    try:
        os.chown(place, NOBODY, NOBODY)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(place / "control.sock"))
            listener.listen()
            (place / "control.sock").chmod(0o777)
            said = command_line.run("reload", environment={}, folder=Path("/"), user=user)
        assert said.status == 1 and f"{place} belongs to user {NOBODY}" in said.err, said
    finally:
        (place / "control.sock").unlink(missing_ok=True)
        place.rmdir()


def test_a_place_that_the_user_names_is_the_users_own_business(folder: Path, trap: socket.socket) -> None:
    trap.close()
    link = folder / "link"
    link.symlink_to(folder / "mcp-bridge")
    said = command_line.run("reload", "--control", link / "control.sock", environment={}, folder=folder)
    assert "no service answers on" in said.err, said
