from collections.abc import Iterator

import pytest

from mockpush.web_server import WebServer


@pytest.fixture(autouse=True)
def vapid_key_of_the_application(push_vapid, monkeypatch):
    monkeypatch.setenv("VAPID_PRIVATE_KEY", push_vapid.private_key)


@pytest.fixture
def shop_url(push_service, push_vapid, monkeypatch) -> Iterator[str]:
    """The site of the examples, whose pushes reach the service."""
    from .site import site, subscribers

    monkeypatch.setenv("VAPID_PUBLIC_KEY", push_vapid.public_key)
    subscribers.clear()
    with WebServer(site).running() as server:
        yield server.url.replace("127.0.0.1", "localhost") + "/"
