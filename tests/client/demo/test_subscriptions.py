"""The subscriptions of the application server, in memory and in a file."""

from __future__ import annotations

import errno
import json
import stat

import pytest

from mockpush import errors
from mockpush.client.demo import subscriptions
from mockpush.client.demo.subscriptions import Subscriptions
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import base64url_encode

KEYS = {
    "p256dh": base64url_encode(generate_key_pair()[1]),
    "auth": "tBHItJI5svbpez7KI4CCXg",
}


def one(name: str) -> dict:
    return {"endpoint": f"https://localhost/push/{name}", "keys": KEYS}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "kept.json"


def test_they_are_kept_in_order_each_once(file):
    kept = Subscriptions(file)
    for name in ("a", "b", "a"):
        kept.add(one(name))
    assert list(kept) == list(Subscriptions(file)) == [one("a"), one("b")]


def test_what_is_removed_stays_so(file):
    kept = Subscriptions(file)
    kept.add(one("a"))
    assert kept.remove(one("a")["endpoint"])
    assert not kept.remove(one("a")["endpoint"])
    assert list(kept) == list(Subscriptions(file)) == []


def test_one_takes_the_place_of_another():
    kept = Subscriptions()
    kept.add(one("a"))
    kept.add(one("b"), replaces=one("a")["endpoint"])
    assert list(kept) == [one("b")]


def test_the_file_is_for_nobody_else_to_read(file):
    Subscriptions(file).add(one("a"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_loses_nothing(file, monkeypatch):
    kept = Subscriptions(file)
    kept.add(one("a"))
    monkeypatch.setattr(subscriptions.json, "dump", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        kept.add(one("b"))
    assert list(kept) == list(Subscriptions(file)) == [one("a")]
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[1]",
        '[{"endpoint": "http://[x", "keys": {}}]',
        '[{"endpoint": 7, "keys": {}}]',
        '[{"endpoint": "x"}]',
        '[{"endpoint": "x", "keys": {"auth": "AAAA"}}]',
    ],
)
def test_a_file_with_something_else_is_named(file, content):
    file.write_text(content)
    with pytest.raises(errors.ConfigurationError, match="delete it") as caught:
        Subscriptions(file)
    assert str(file) in str(caught.value)


def test_a_file_that_cannot_be_written_is_named(file, monkeypatch):
    kept = Subscriptions(file)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(subscriptions.tempfile, "mkstemp", full)
    with pytest.raises(errors.ServiceError, match="No space left") as caught:
        kept.add(one("a"))
    assert (caught.value.status, list(kept)) == (507, [])
    assert str(file) in str(caught.value)


def test_they_are_limited(monkeypatch):
    monkeypatch.setattr(subscriptions, "MOST", 2)
    kept = Subscriptions()
    for name in ("a", "b", "a"):
        kept.add(one(name))
    with pytest.raises(errors.ServiceError) as caught:
        kept.add(one("c"))
    assert caught.value.status == 503
    assert list(kept) == [one("a"), one("b")]


def test_the_file_is_json_that_people_can_read(file):
    Subscriptions(file).add(one("a"))
    assert json.loads(file.read_text()) == [one("a")]
