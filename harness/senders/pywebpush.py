"""pywebpush as a sender: `webpush()` as an application calls it, nothing around it."""

from __future__ import annotations

import base64
from importlib.metadata import version
from typing import Any

from pywebpush import (  # type: ignore[import-untyped, unused-ignore]
    WebPushException,
    webpush,
)

Job = dict[str, Any]


def answer(job: Job) -> Job:
    """The result of a job; what `webpush` raises says that the push failed."""
    return _OPERATIONS[job["op"]](job)


def _hello(job: Job) -> Job:
    return {
        "name": "pywebpush",
        "version": version("pywebpush"),
        "ops": ["send"],
        "language": "Python",
    }


def _send(job: Job) -> Job:
    payload = job["payload"]
    try:
        response = webpush(
            job["subscription"],
            None if payload is None else base64.b64decode(payload),
            vapid_private_key=job["vapid"]["private_key"],
            vapid_claims={"sub": job["vapid"]["subject"]},
            ttl=job["ttl"],
            headers=_headers(job),
        )
    except WebPushException as error:
        return _failure(error)
    return {"ok": True, "status": response.status_code}


def _headers(job: Job) -> dict[str, str]:
    """Urgency and topic, for which `webpush` has no parameters of their own."""
    asked = {"Urgency": job["urgency"], "Topic": job["topic"]}
    return {name: value for name, value in asked.items() if value is not None}


def _failure(error: WebPushException) -> Job:
    retry_after = error.retry_after
    seconds = retry_after is not None and retry_after.isdigit()
    return {
        "ok": False,
        "status": error.status_code,
        "gone": error.status_code in (404, 410),
        "retry_after": int(retry_after) if seconds else retry_after,
        "error": error.message,
    }


_OPERATIONS = {"hello": _hello, "send": _send}
