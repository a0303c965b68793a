"""Authorization servers that others wrote, as processes, and a person with a browser who signs in at them."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

from http_upstreams import PYTHONS
from places import OAUTH_PYTHON, SUPPORT
from ports import free_port
from waiting import PATIENCE, eventually

#: Of the owner; and of the client that the toolkit has for the device grant (`django_authorization`).
PASSWORD, DEVICE_CLIENT = "of-the-owner", "by-hand"


class _Server:
    """A process with its authorization server on one port, and its resource on the same or another."""

    #: So long may it take to start: Django makes its tables first (seconds).
    START = 120.0

    def __init__(self, *ports: int) -> None:
        self.ports = list(ports)
        self.start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    @property
    def url(self) -> str:
        """Of the server of MCP."""
        return f"http://127.0.0.1:{self.ports[-1]}/mcp"

    def entry(self, **oauth: Any) -> dict[str, Any]:
        return {"type": "http", "url": self.url, **({"oauth": oauth} if oauth else {})}

    def start(self) -> None:
        self.process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(self._listens, "the authorization server and its resource listen", self.START)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def _listens(self) -> bool:
        assert self.process.poll() is None, "the server has ended"
        for port in self.ports:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) != 0:
                    return False
        return True

    def _command(self) -> list[Any]:
        raise NotImplementedError

    def told(self) -> dict[str, Any]:
        """What ``/control`` tells."""
        found = httpx.get(f"{self.origin}/control", timeout=PATIENCE).raise_for_status().json()
        assert isinstance(found, dict)
        return found

    def is_welcome(self, token: str) -> bool:
        """Whether the resource lets in who shows this token."""
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        reply = httpx.post(self.url, json=ping, headers={"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}, timeout=PATIENCE)
        return reply.status_code != 401


class DjangoToolkit(_Server):
    """``django_authorization`` with these settings of the toolkit."""

    def __init__(self, folder: Path, resource_port: int = 0, **settings: Any) -> None:
        self.folder, self.settings = folder, settings
        folder.mkdir(exist_ok=True)
        super().__init__(free_port(), resource_port or free_port())

    def _command(self) -> list[Any]:
        return [OAUTH_PYTHON, SUPPORT / "django_authorization.py", *map(str, self.ports), self.folder, json.dumps(self.settings)]

    def control(self, **wish: Any) -> None:
        httpx.post(f"{self.origin}/control", json=wish, timeout=PATIENCE).raise_for_status()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Meanwhile it does what a refresh asks for, and says nothing."""
        self.control(hold=True)
        try:
            yield
        finally:
            self.control(hold=False)

    def asked(self, path: str, **form: str) -> list[dict[str, Any]]:
        """What was asked at one of its endpoints, and how that was answered."""
        found = [each for each in self.told()["asked"] if each["path"] == path]
        return [each for each in found if all(each["form"].get(key) == value for key, value in form.items())]

    def tokens_of(self, resource: str) -> list[str]:
        told = self.told()
        return [token for token, resources in zip(told["access"], told["resources"], strict=True) if resource in resources]


class SDKAuthorization(_Server):
    """``sdk_authorization``, of this generation of the official SDK."""

    def __init__(self, generation: str, **settings: Any) -> None:
        self.generation, self.settings = generation, settings
        super().__init__(free_port())

    def _command(self) -> list[Any]:
        return [PYTHONS[self.generation], SUPPORT / "sdk_authorization.py", str(self.ports[0]), PASSWORD, json.dumps(self.settings)]


class _Forms(HTMLParser):
    """The first form of a page: its fields, and its buttons by their value or name."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.buttons: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and self.action is None:
            self.action = given.get("action", "")
        elif tag == "button" or (tag == "input" and given.get("type") == "submit"):
            self.buttons.append((given.get("name", ""), given.get("value", "")))
        elif tag == "input" and "name" in given:
            self.fields[given["name"]] = given.get("value", "")


class Person:
    """Somebody with a browser: follows every redirect, fills in every form, and presses its button.

    Whoever is ``refusing`` presses the other one where there are two.
    """

    def __init__(self, refusing: bool = False, **known: str) -> None:
        self.refusing = refusing
        self.known = {"username": "owner", "password": PASSWORD, **known}
        self.visited: list[str] = []
        self.pages: list[str] = []
        self._http = httpx.Client(timeout=PATIENCE, trust_env=False)

    def visit(self, url: str, stop_before: str | None = None) -> httpx.Response | str:
        """The page where it ends; or the address, where it is one to stop before."""
        request = self._http.build_request("GET", url)
        for _ in range(20):
            if stop_before is not None and str(request.url).startswith(stop_before):
                return str(request.url)
            self.visited.append(str(request.url))
            reply = self._http.send(request)
            if reply.has_redirect_location:
                # As browsers do: what was sent by POST is followed by GET.
                request = self._http.build_request("GET", urljoin(str(reply.url), reply.headers["location"]))
                continue
            self.pages.append(reply.text)
            form = _Forms(reply.text)
            if form.action is None or reply.status_code >= 400:
                return reply
            request = self._http.build_request("POST", urljoin(str(reply.url), form.action), data=self._filled(form))
        raise AssertionError(f"it goes on and on: {self.visited}")

    def _filled(self, form: _Forms) -> dict[str, str]:
        fields = {name: self.known.get(name, value) for name, value in form.fields.items()}
        agreeing = [each for each in form.buttons if each[0] == "allow" or each[1] == "accept"]
        refusing = [each for each in form.buttons if each not in agreeing]
        name, value = (refusing if self.refusing and agreeing else agreeing or refusing)[0]
        return {**fields, name: value} if name else fields
