"""The ground the other tests stand on: the booted systemd itself, the units as systemd reads them, the installation."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from systemd_boot import ROOT, Boot

#: A Type=notify service in a few lines, activated by a Unix socket that it answers.
UNITS = {
    "tiny.socket": "[Socket]\nListenStream=/run/tiny.sock\nFileDescriptorName=tiny\n",
    "tiny.service": "[Service]\nType=notify\nExecStart=/usr/bin/python3 /etc/systemd/system/tiny.py\n",
    "tiny.py": """
import os, socket
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect(os.environ["NOTIFY_SOCKET"])
notify.send(b"READY=1\\nSTATUS=" + os.environ["LISTEN_FDNAMES"].encode())
listener = socket.socket(fileno=3)
while True:
    connection, _ = listener.accept()
    connection.sendall(b"hello")
    connection.close()
""",
}


def test_a_booted_systemd_starts_a_service_at_the_first_connection(boot: Boot, tmp_path: Path) -> None:
    for name, text in UNITS.items():
        (tmp_path / name).write_text(text)
    script = """
        systemctl start tiny.socket
        systemctl is-active tiny.service
        python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect("/run/tiny.sock"); print(s.recv(9).decode())'
        systemctl is-active tiny.service
        systemctl show -P StatusText tiny.service
    """
    result = boot("bash", "-c", script, options=("-u", str(tmp_path)))
    assert result.returncode == 0, result.stdout
    assert result.stdout.split() == ["inactive", "hello", "active", "tiny"]


def test_what_happens_inside_stays_inside(boot: Boot) -> None:
    marker = Path("/var/lib/with-systemd-was-here")
    result = boot("bash", "-c", f"touch {marker} && ls /sys/class/net")
    assert result.stdout.split() == ["lo"], result.stdout
    assert not marker.exists()


@pytest.mark.parametrize("place", ["/tmp", "/tmp/", "/var/../tmp", "/run", "/"])
def test_what_a_boot_empties_is_never_ours(boot: Boot, tmp_path: Path, place: str) -> None:
    """systemd-tmpfiles removes all that is in the inside's /tmp."""
    kept = tmp_path / "kept"
    kept.touch()
    result = boot("true", options=("-b", f"{tmp_path}:{place}"))
    assert result.returncode == 2 and "its own" in result.stderr, result
    assert kept.exists()


def test_the_commands_exit_status_is_handed_on(boot: Boot) -> None:
    assert boot("bash", "-c", "exit 3").returncode == 3
    assert boot("sleep", "60", limit=1).returncode == 124


def test_systemd_has_nothing_to_say_against_the_units() -> None:
    result = subprocess.run([ROOT / "scripts/check-units"], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def program(tmp_path: Path) -> Path:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    return program


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(file.relative_to(folder)): (file.stat().st_mode & 0o777, file.read_bytes()) for file in files}


@pytest.mark.parametrize(
    ("options", "units"),
    [
        (["--prefix", "/usr"], "usr/lib/systemd/system"),
        ([], "usr/local/lib/systemd/system"),
        (["--prefix", "/opt/bridge"], "etc/systemd/system"),
        (["--user"], "home/somebody/.local/share/systemd/user"),
    ],
)
def test_an_installation_is_whole_and_repeatable_and_removable(
    options: list[str], units: str, program: Path, tmp_path: Path
) -> None:
    stage = tmp_path / "stage"
    environment = {"PATH": os.environ["PATH"], "HOME": "/home/somebody", "DESTDIR": str(stage)}
    install = [ROOT / "scripts/install", *options, "--binary", program]
    subprocess.run(install, env=environment, check=True, capture_output=True)
    installed = tree(stage)
    service = installed[f"{units}/mcp-bridge.service"][1].decode()
    [start] = [line.removeprefix("ExecStart=") for line in service.splitlines() if line.startswith("ExecStart=")]
    assert installed[start.split()[0].lstrip("/")] == (0o755, program.read_bytes())
    for name in ("mcp-gateway", "mcp-bridge-stdio", "mcptb"):
        link = (stage / start.split()[0].lstrip("/")).with_name(name)
        assert link.is_symlink() and link.resolve().name == "mcp-bridge"
    assert {f"{units}/mcp-bridge{name}.socket" for name in ("", "-local", "-control")} <= set(installed)
    [example] = [name for name in installed if name.endswith("mcp-bridge/config.json.example") and "/doc/" not in name]

    (stage / example).write_text("mine")
    subprocess.run(install, env=environment, check=True, capture_output=True)
    assert tree(stage) == {**installed, example: (0o644, b"mine")}

    remove = [ROOT / "scripts/uninstall", *options]
    for _ in range(2):
        subprocess.run(remove, env=environment, check=True, capture_output=True)
        assert list(tree(stage)) == [example]


def test_somebody_elses_program_of_a_further_name_stays(program: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "stage/usr/bin/mcp-gateway"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DESTDIR": str(tmp_path / "stage")}
    for script in (["install", "--prefix", "/usr", "--binary", program], ["uninstall", "--prefix", "/usr"]):
        subprocess.run([ROOT / "scripts" / script[0], *script[1:]], env=environment, check=True, capture_output=True)
        assert theirs.read_text() == "theirs"


def test_what_is_installed_has_no_symbols(tmp_path: Path) -> None:
    """A small program in the bridge's place: what counts is that the symbols go and the program runs."""
    source = tmp_path / "program.c"
    source.write_text("int answer(void) { return 0; }\nint main(void) { return answer(); }\n")
    program = tmp_path / "program"
    subprocess.run(["cc", "-g", "-o", program, source], check=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DESTDIR": str(tmp_path / "stage")}
    install = [ROOT / "scripts/install", "--prefix", "/usr", "--binary", program]
    subprocess.run(install, env=environment, check=True, capture_output=True)
    installed = tmp_path / "stage/usr/bin/mcp-bridge"
    assert installed.stat().st_size < program.stat().st_size
    assert subprocess.run([installed], check=False).returncode == 0
    listed = subprocess.run(["nm", installed], check=False, capture_output=True, text=True)
    assert "answer" not in listed.stdout
