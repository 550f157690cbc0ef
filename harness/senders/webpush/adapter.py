"""PyPI's webpush: it makes the message, and requests sends it, as the library's README has it.

There is nothing in it for urgency and topic. What the push service answers the caller has to look
at; `ok` is that of the response.
"""

from __future__ import annotations

import base64
from importlib.metadata import version
from typing import Any

import requests
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from webpush import (
    WebPush,
    WebPushMessage,
    WebPushSubscription,
)

Job = dict[str, Any]


def answer(job: Job) -> Job:
    """The result of a job."""
    return _hello() if job["op"] == "hello" else _send(job)


def _hello() -> Job:
    return {"name": "webpush", "version": version("webpush"), "ops": ["send"], "language": "Python"}


def _send(job: Job) -> Job:
    for option in ("urgency", "topic"):
        if job[option] is not None:
            return {"unsupported": option}
    if job["payload"] is None:
        return {"unsupported": "a push without payload"}
    message = _message(job)
    endpoint = job["subscription"]["endpoint"]
    response = requests.post(  # noqa: S113 - the README sets no limit
        endpoint, data=message.encrypted, headers=message.headers
    )
    return _result(response)


def _message(job: Job) -> WebPushMessage:
    vapid = job["vapid"]
    library = WebPush(
        private_key=vapid["private_key_pem"].encode(),
        public_key=_public_key_pem(vapid["private_key_pem"]),
        subscriber=vapid["subject"].removeprefix("mailto:"),
        ttl=job["ttl"],
    )
    subscription = WebPushSubscription.model_validate(job["subscription"])
    return library.get(message=base64.b64decode(job["payload"]), subscription=subscription)


def _public_key_pem(private_key_pem: str) -> bytes:
    key = load_pem_private_key(private_key_pem.encode(), password=None).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _result(response: requests.Response) -> Job:
    retry_after = response.headers.get("Retry-After")
    return {
        "ok": response.ok,
        "status": response.status_code,
        "gone": response.status_code in (404, 410),
        "retry_after": _seconds(retry_after),
        "error": None if response.ok else response.text,
    }


def _seconds(retry_after: str | None) -> int | str | None:
    """A number if it is one; else it is a date."""
    return int(retry_after) if retry_after and retry_after.isdigit() else retry_after
