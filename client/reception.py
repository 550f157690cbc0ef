"""What a user agent makes of the messages that it gets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mockpush import errors
from mockpush.protocol import aesgcm, encryption
from mockpush.protocol.content_coding import Plaintext
from mockpush.protocol.findings import Finding
from mockpush.protocol.headers import (
    AES128GCM,
    AESGCM,
    findings_with_body,
    parse_content_encoding,
    parse_draft_parameters,
)
from mockpush.protocol.inspection import draft_values

from .headers import Headers
from .subscription_resource import Delivery


@dataclass(frozen=True, slots=True, repr=False)
class ReceiverKeys:
    """The keys of one subscription (RFC 8291, Section 2): 32, 65 and 16 octets."""

    private_key: bytes
    p256dh: bytes
    auth: bytes


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message that made a `push` event; `payload` is None when it was sent without one.

    `message_url` is the path of its message resource at the service.
    """

    payload: bytes | None
    content_encoding: str | None
    message_url: str

    @property
    def bytes(self) -> bytes:
        """The payload, empty if there is none."""
        return self.payload or b""

    def text(self) -> str:
        """The payload as UTF-8, as `event.data.text()` gives it."""
        return self.bytes.decode()

    def json(self) -> Any:
        """The payload as JSON, as `event.data.json()` gives it."""
        return json.loads(self.bytes)


@dataclass(frozen=True, slots=True)
class DiscardedMessage:
    """A message that could not be read: acknowledged, and no `push` event (W3C Push API).

    `reason` has the code of the finding and what was expected; `body` is what came.
    """

    reason: errors.DecryptionError
    content_encoding: str | None
    message_url: str
    body: bytes


def receive(delivery: Delivery, keys: ReceiverKeys) -> ReceivedMessage | DiscardedMessage:
    """Reads a message as browsers do (RFC 8291, Section 4)."""
    coding = delivery.headers.get("content-encoding")
    try:
        payload = _decrypted(delivery, keys) if delivery.body else None
    except errors.DecryptionError as error:
        return DiscardedMessage(error, coding, delivery.url, delivery.body)
    return ReceivedMessage(payload, coding, delivery.url)


def _decrypted(delivery: Delivery, keys: ReceiverKeys) -> bytes:
    findings: list[Finding] = []
    lines = _lines(delivery.headers, "content-encoding")
    coding = parse_content_encoding(lines, findings)
    if coding is None:
        finding = [*findings, *findings_with_body(lines, coding)][-1]
        raise errors.DecryptionError(finding.code, expected=finding.expected, actual=finding.actual)
    plaintext = _READERS[coding](delivery, keys)
    if plaintext.records > 1:
        code = _SEVERAL_RECORDS[coding]
        raise errors.DecryptionError(code, expected="one record", actual=f"{plaintext.records}")
    return plaintext.data


def _read_aes128gcm(delivery: Delivery, keys: ReceiverKeys) -> Plaintext:
    return encryption.decrypt(
        delivery.body, private_key=keys.private_key, p256dh=keys.p256dh, auth=keys.auth
    )


def _read_aesgcm(delivery: Delivery, keys: ReceiverKeys) -> Plaintext:
    parameters = parse_draft_parameters(
        _lines(delivery.headers, "crypto-key"), _lines(delivery.headers, "encryption"), []
    )
    salt, dh, rs = draft_values(parameters)
    return aesgcm.decrypt(
        delivery.body,
        salt=salt,
        dh=dh,
        rs=rs,
        private_key=keys.private_key,
        p256dh=keys.p256dh,
        auth=keys.auth,
    )


_READERS: Final[Mapping[str, Callable[[Delivery, ReceiverKeys], Plaintext]]] = {
    AES128GCM: _read_aes128gcm,
    AESGCM: _read_aesgcm,
}
_SEVERAL_RECORDS: Final = {
    AES128GCM: "encryption.records.several",
    AESGCM: "aesgcm.records.several",
}


def _lines(headers: Headers, name: str) -> list[bytes] | None:
    return [value.encode("latin-1") for value in headers.get_all(name)] or None
