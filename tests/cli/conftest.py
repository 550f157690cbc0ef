"""What the tests of the command line share: a directory of their own, and a service that runs."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockpush.client.control import Control
from mockpush.client.transports.http import HttpTransport
from mockpush.server import Server
from mockpush.service import PushService


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the surrounding run."""
    for name in [name for name in os.environ if name.startswith(("MOCKPUSH", "VAPID"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(PushService()).running() as server:
        yield server


@pytest.fixture
def control(server: Server, elsewhere: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    """A tenant of this test, in which the commands work as well."""
    tenant = uuid.uuid4().hex
    monkeypatch.setenv("MOCKPUSH_URL", server.url)
    monkeypatch.setenv("MOCKPUSH_TENANT", tenant)
    with HttpTransport(server.url) as transport:
        yield Control(transport, tenant=tenant)
