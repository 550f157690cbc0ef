"""The demo as it runs: its server on free ports, a client of its API, and emulated browsers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import httpx
import pytest

from mockpush.client.control import Control
from mockpush.client.demo.running import new_server
from mockpush.client.transports.http import HttpTransport
from mockpush.client.user_agent import UserAgent
from mockpush.settings import Settings

PUSH = {"id": "n-1", "title": "Your order", "ttl": 3600}
"""The least that can be pushed."""


class Running:
    """What tests want of a running demo."""

    def __init__(self, server, transport: HttpTransport) -> None:
        self.server = server
        self.control = Control(transport)
        self.site = httpx.Client(base_url=server.url)
        self.key = self.site.get("/api/key").json()["publicKey"]
        self.browsers: list[UserAgent] = []

    def browser(self) -> UserAgent:
        """An emulated browser that subscribes with the demo's key."""
        new = UserAgent(self.control.transport, application_server_key=self.key)
        self.browsers.append(new)
        return new

    def close(self) -> None:
        for each in self.browsers:
            each.close()
        self.site.close()

    def keep(self, subscription, **more) -> httpx.Response:
        """What the page does with a new subscription."""
        return self.site.post("/api/subscriptions", json={**subscription, **more})

    def push(self, **members) -> list[dict]:
        """What the form of the page does."""
        answer = self.site.post("/api/push", json={**PUSH, **members})
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    @property
    def kept(self) -> list[str]:
        """The endpoints of the application server."""
        return [each["endpoint"] for each in self.site.get("/api/subscriptions").json()["items"]]


@contextmanager
def running(**settings) -> Iterator[Running]:
    server = new_server(Settings(port=0, https_port=0, **settings), kept="kept.json")
    with server.running(), HttpTransport(server.url) as transport:
        demo = Running(server, transport)
        try:
            yield demo
        finally:
            demo.close()


@pytest.fixture
def demo() -> Iterator[Running]:
    with running() as running_demo:
        yield running_demo


@pytest.fixture
def start():
    """Runs a demo with settings of its own."""
    return running


@pytest.fixture
def shown():
    """A received message as the page's worker reads it."""
    return lambda message: SimpleNamespace(**json.loads(message.text()))
