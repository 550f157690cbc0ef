"""pywebpush as a sender: one call, as an application makes it, nothing around it."""

from __future__ import annotations

import base64
from importlib.metadata import version
from typing import Any

from pywebpush import (
    WebPushException,
    webpush,
    webpush_async,
)

Job = dict[str, Any]


def answer(job: Job) -> Job:
    """The result of a job, with `webpush`; what it raises says that the push failed."""
    return _hello() if job["op"] == "hello" else _send(job)


def answer_aesgcm(job: Job) -> Job:
    """The same with the coding of the draft."""
    return _hello() if job["op"] == "hello" else _send(job, content_encoding="aesgcm")


async def answer_async(job: Job) -> Job:
    """The same with `webpush_async`."""
    return _hello() if job["op"] == "hello" else await _send_async(job)


def _hello() -> Job:
    ops = ["send"]
    return {"name": "pywebpush", "version": version("pywebpush"), "ops": ops, "language": "Python"}


def _send(job: Job, **options: str) -> Job:
    try:
        response = webpush(**_arguments(job), **options)
    except WebPushException as error:
        return _failure(error)
    return {"ok": True, "status": response.status_code}


async def _send_async(job: Job) -> Job:
    try:
        response = await webpush_async(**_arguments(job))
    except WebPushException as error:
        return _failure(error)
    return {"ok": True, "status": response.status}


def _arguments(job: Job) -> Job:
    """Urgency and topic have no parameters of their own."""
    payload = job["payload"]
    asked = {"Urgency": job["urgency"], "Topic": job["topic"]}
    return {
        "subscription_info": job["subscription"],
        "data": None if payload is None else base64.b64decode(payload),
        "vapid_private_key": job["vapid"]["private_key"],
        "vapid_claims": {"sub": job["vapid"]["subject"]},
        "ttl": job["ttl"],
        "headers": {name: value for name, value in asked.items() if value is not None},
    }


def _failure(error: WebPushException) -> Job:
    return {
        "ok": False,
        "status": error.status_code,
        "gone": error.status_code in (404, 410),
        "retry_after": _seconds(error.retry_after),
        "error": error.message,
    }


def _seconds(retry_after: str | None) -> int | str | None:
    """A number if it is one; else it is a date."""
    return int(retry_after) if retry_after and retry_after.isdigit() else retry_after
