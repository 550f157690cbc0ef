"""webpush-rs: the Rust crate web-push as a wheel, one function without any options.

TTL is four weeks, whatever is asked for, and there is nothing for urgency and topic. It returns
201 for every 2xx, 404 and 410, and raises for all else.
"""

from __future__ import annotations

import base64
from importlib.metadata import version
from typing import Any

import webpush_rs

Job = dict[str, Any]


def answer(job: Job) -> Job:
    """The result of a job."""
    return _hello() if job["op"] == "hello" else _send(job)


def _hello() -> Job:
    ops = ["send"]
    return {"name": "webpush-rs", "version": version("webpush-rs"), "ops": ops, "language": "Rust"}


def _send(job: Job) -> Job:
    for option in ("urgency", "topic"):
        if job[option] is not None:
            return {"unsupported": option}
    if job["payload"] is None:
        return {"unsupported": "a push without payload"}
    keys, vapid = job["subscription"]["keys"], job["vapid"]
    try:
        status = webpush_rs.send_one(
            job["subscription"]["endpoint"],
            keys["p256dh"],
            keys["auth"],
            vapid["private_key"],
            vapid["subject"],
            base64.b64decode(job["payload"]),
        )
    except RuntimeError as error:
        return {"ok": False, "error": str(error)}
    return {"ok": status == 201, "status": status, "gone": status in (404, 410)}
