"""A push service as user agents see it, as small as can be."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import threading
from collections import Counter
from dataclasses import dataclass, field

import pytest

from mockpush.client.user_agent import UserAgent
from mockpush.protocol import encryption
from mockpush.protocol.model import base64url_decode

ORIGIN = "https://push.example"
CONTROL = "/_mockpush/v1/subscriptions"


@dataclass
class Held:
    """A subscription: what waits for its user agent, by message resource."""

    name: str
    messages: dict = field(default_factory=dict)
    online: bool = True
    poll: object = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def change(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class FakePushService:
    """RFC 8030, Sections 4 and 6, by long polls. Whatever is called from tests goes to its loop.

    `failures` holds answers to give once instead: `{("DELETE", "/m/"): (503, b"…")}`.
    """

    def __init__(self, application, loop) -> None:
        application.fallback = self.answer
        self.application = application
        self.failures = {}
        self.acknowledged = []
        self.polling = threading.Semaphore(0)
        """released when a monitoring request begins to wait"""
        self._loop = loop
        self._subscriptions = {}
        self._numbers = itertools.count(1)

    # For tests

    def push(self, subscription, text: str | None = "hello", **message) -> str:
        """Sends a text, or a ready-made `body` with `fields`; gives its message resource."""
        if text is None:
            message.setdefault("body", b"")
            message.setdefault("fields", [])
        elif "body" not in message:
            keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
            keys = {name: base64url_decode(key) for name, key in keys.items()}
            message = {
                "body": encryption.encrypt(text.encode(), **keys),
                "fields": [("Content-Encoding", "aes128gcm")],
            }
        return self._run(self._push, subscription.id, message)

    def expire(self, subscription) -> None:
        self._run(self._forget, subscription.id)

    def waiting(self, subscription) -> int:
        return len(self._subscriptions[subscription.id].messages)

    def knows(self, subscription) -> bool:
        return subscription.id in self._subscriptions

    @property
    def requests(self) -> Counter:
        return Counter(
            (call.method, re.sub(r"\d+", "N", call.path)) for call in self.application.calls
        )

    def _run(self, function, *arguments):
        async def run():
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def _push(self, name: str, message) -> str:
        held = self._subscriptions[name]
        path = f"/m/{next(self._numbers)}"
        held.messages[path] = message
        held.change()
        return path

    def _forget(self, name: str) -> None:
        self._subscriptions.pop(name).change()

    # The wire

    async def answer(self, call):
        for (method, prefix), answer in list(self.failures.items()):
            if call.method == method and call.path.startswith(prefix):
                del self.failures[method, prefix]
                return answer[0], [], answer[1]
        if call.path == "/subscribe":
            return self._subscribe()
        if call.path.startswith("/m/"):
            return self._acknowledge(call.path)
        name, _, action = call.path.removeprefix("/s/").partition("/")
        held = self._subscriptions.get(name)
        if held is None:
            return 404, [], json.dumps({"detail": "no such subscription"}).encode()
        if call.method == "GET":
            return await self._monitor(held, int(call.headers["prefer"].removeprefix("wait=")))
        if call.method == "DELETE":
            self._forget(name)
        else:
            held.online = action == "online"
            held.change()
        return 204, [], b""

    def _subscribe(self):
        name = f"s{next(self._numbers)}"
        self._subscriptions[name] = Held(name)
        link = f'<{ORIGIN}/push/{name}>; rel="urn:ietf:params:push"'
        return 201, [("Location", f"{ORIGIN}/s/{name}"), ("Link", link)], b""

    def _acknowledge(self, path: str):
        for held in self._subscriptions.values():
            if held.messages.pop(path, None):
                self.acknowledged.append(path)
                return 204, [], b""
        return 404, [], b""

    async def _monitor(self, held: Held, wait: int):
        own = held.poll = object()
        held.change()
        for _ in range(5):  # as long as a storage may take, a later request takes over
            await asyncio.sleep(0)
        while True:
            if held.name not in self._subscriptions:
                return 404, [], b""
            if held.poll is not own or not held.online:
                return 204, [], b""
            for path, message in held.messages.items():
                return 200, [("Content-Location", path), *message["fields"]], message["body"]
            if not wait:
                return 204, [], b""
            changed = held.changed
            self.polling.release()
            await changed.wait()


@pytest.fixture
def service(application, loop):
    return FakePushService(application, loop)


@pytest.fixture
def user_agents(service, in_process):
    """Makes user agents, and sees to it that none of their threads outlives them."""
    made = []

    def make(**options) -> UserAgent:
        made.append(UserAgent(in_process, **options))
        return made[-1]

    yield make
    for user_agent in made:
        user_agent.close()
    assert [each for each in threading.enumerate() if each.name == "mockpush-user-agent"] == []


@pytest.fixture
def user_agent(user_agents):
    return user_agents()
