"""What a decrypted payload shows: nothing here decides an answer, since no push service sees it.

Looked at only when somebody reads the message. Declarative push messages: W3C Push API, Section
3.3; `create a notification` of the WHATWG's Notifications Standard.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from mockpush.protocol.encryption import OVERHEAD
from mockpush.protocol.findings import Finding
from mockpush.protocol.inspection import Payload

SAFE_PAYLOAD: Final = 4096 - OVERHEAD
"""Octets of plaintext that make a body of 4096 with aes128gcm (RFC 8291, Section 4)."""
CONSTRAINED_PAYLOAD: Final = 3070 - OVERHEAD
"""Octets that make a body of 3070, what Mozilla's service takes for bridged devices."""
WEB_PUSH: Final = 8030
"""What marks a JSON document as a declarative push message."""

_MAX_SHOWN: Final = 60


def linted(payload: Payload) -> Payload:
    """A payload that was read, with what its plaintext shows."""
    return payload._replace(findings=lint(payload.data or b""), explained=True)


def lint(data: bytes) -> tuple[Finding, ...]:
    """What is to be said about a plaintext; never raises."""
    found = [*_size(len(data))]
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        actual = f"0x{data[error.start]:02x} at {error.start}"
        return (*found, Finding("payload.not_utf8", "UTF-8", actual))
    return (*found, *_declarative(text))


def _size(size: int) -> Iterator[Finding]:
    if size > SAFE_PAYLOAD:
        yield Finding("payload.too_large", f"at most {SAFE_PAYLOAD} octets", f"{size} octets")
    elif size > CONSTRAINED_PAYLOAD:
        yield Finding("payload.large", f"at most {CONSTRAINED_PAYLOAD} octets", f"{size} octets")


def _declarative(text: str) -> Iterator[Finding]:
    """What is to be said about a message that has the mark of a declarative one."""
    message = _json_object(text)
    if message is None or "web_push" not in message:
        return
    failures = [*_failures(message)]
    yield from failures
    if not failures:
        title, navigate = (message["notification"][name] for name in ("title", "navigate"))
        actual = f"title {_shown(title)}, navigate {_shown(navigate)}"
        yield Finding("payload.declarative", None, actual)
    yield from _remarks(message)


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _failures(message: Mapping[str, Any]) -> Iterator[Finding]:
    """Why the message is an ordinary one for browsers, although it has the mark."""
    mark = message["web_push"]
    if isinstance(mark, bool) or not isinstance(mark, int | float) or mark != WEB_PUSH:
        yield Finding("payload.declarative.web_push", str(WEB_PUSH), _shown(mark))
    notification = message.get("notification")
    if not isinstance(notification, dict):
        yield Finding(
            "payload.declarative.notification", "an object", _member(message, "notification")
        )
        return
    if not isinstance(notification.get("title"), str) or not notification["title"]:
        actual = _member(notification, "title")
        yield Finding("payload.declarative.title", "a text that is not empty", actual)
    if not _is_url(notification.get("navigate")):
        actual = _member(notification, "navigate")
        yield Finding("payload.declarative.navigate", "a URL", actual)
    yield from _conflicts(notification)


def _conflicts(notification: Mapping[str, Any]) -> Iterator[Finding]:
    if notification.get("renotify") is True and notification.get("tag", "") == "":
        yield Finding("payload.declarative.conflict", "a tag with renotify", "no tag")
    elif notification.get("silent") is True and _is_vibration(notification.get("vibrate")):
        yield Finding("payload.declarative.conflict", "no vibrate with silent", "both")


def _remarks(message: Mapping[str, Any]) -> Iterator[Finding]:
    """What browsers read, but not as it is meant, or not all of them."""
    notification = message.get("notification")
    inside: dict[str, Any] = notification if isinstance(notification, dict) else {}
    navigate = inside.get("navigate")
    if isinstance(navigate, str) and _is_url(navigate) and not urlsplit(navigate).scheme:
        code = "payload.declarative.navigate.relative"
        yield Finding(code, "an absolute URL", _shown(navigate))
    yield from _wrong_members(message, inside)
    misplaced = [name for name in _OUTSIDE if name in inside]
    if misplaced:
        expected = ", ".join(f"{name} at the top level" for name in misplaced)
        actual = ", ".join(f"notification.{name}" for name in misplaced)
        yield Finding("payload.declarative.misplaced", expected, actual)
    unknown = [f"notification.{name}" for name in inside if name not in _KNOWN_INSIDE]
    if unknown:
        yield Finding("payload.declarative.unknown", ", ".join(_INSIDE), _listed(unknown))


class _Kind(NamedTuple):
    """What a member must be: in words, and as a test."""

    words: str
    holds: Callable[[Any], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_url(value: object) -> bool:
    """Whether this is a URL, or part of one, that a browser can parse."""
    if not isinstance(value, str) or not value.strip():
        return False
    try:
        parts = urlsplit(value.strip())
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme not in ("http", "https") or bool(parts.hostname)


def _is_whole(bits: int) -> Callable[[object], bool]:
    def holds(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return 0 <= value < 2**bits and value == int(value)

    return holds


def _is_vibration(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_whole(32), value))


def _is_action(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("action"), str)
        and isinstance(value.get("title"), str)
        and _is_url(value.get("navigate"))
        and _is_url(value.get("icon", "."))
    )


_TEXT: Final = _Kind("a text", _is_text)
_URL: Final = _Kind("a URL", _is_url)
_BOOLEAN: Final = _Kind("true or false", lambda value: isinstance(value, bool))

_OUTSIDE: Final[Mapping[str, _Kind]] = {
    "app_badge": _Kind("a whole number from 0", _is_whole(64)),
    "mutable": _BOOLEAN,
}
_INSIDE: Final[Mapping[str, _Kind]] = {
    "title": _TEXT,
    "navigate": _URL,
    "dir": _Kind("auto, ltr or rtl", lambda value: value in ("auto", "ltr", "rtl")),
    "lang": _TEXT,
    "body": _TEXT,
    "tag": _TEXT,
    "image": _URL,
    "icon": _URL,
    "badge": _URL,
    "vibrate": _Kind("an array of whole numbers", _is_vibration),
    "timestamp": _Kind("a whole number of milliseconds", _is_whole(64)),
    "renotify": _BOOLEAN,
    "silent": _BOOLEAN,
    "requireInteraction": _BOOLEAN,
    "data": _Kind("anything", lambda _: True),
    "actions": _Kind(
        "an array of {action, title, navigate}",
        lambda value: isinstance(value, list) and all(map(_is_action, value)),
    ),
}
_REQUIRED: Final = ("title", "navigate")
"""Members that have codes of their own."""
_KNOWN_INSIDE: Final = {*_INSIDE, *_OUTSIDE}


def _wrong_members(message: Mapping[str, Any], inside: Mapping[str, Any]) -> Iterator[Finding]:
    """The members of a wrong type, as one finding."""
    places = ((message, _OUTSIDE, ""), (inside, _INSIDE, "notification."))
    wrong = [
        (f"{prefix}{name}", kind.words, value)
        for members, kinds, prefix in places
        for name, value in members.items()
        if name not in _REQUIRED and (kind := kinds.get(name)) and not kind.holds(value)
    ]
    if wrong:
        expected = "; ".join(f"{name}: {words}" for name, words, _ in wrong)
        actual = "; ".join(f"{name}: {_shown(value)}" for name, _, value in wrong)
        yield Finding("payload.declarative.member", expected, actual)


def _member(members: Mapping[str, Any], name: str) -> str:
    return _shown(members[name]) if name in members else "none"


def _listed(names: list[str]) -> str:
    return ", ".join(_shown(name)[1:-1] for name in names[:10])


def _shown(value: object) -> str:
    """A value as JSON, on one line, never long."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    text = json.dumps(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
