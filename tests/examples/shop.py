"""An application that pushes: the code under test in the documentation's examples."""

import json
import os
from collections.abc import MutableSequence
from typing import Any

from pywebpush import WebPushException, webpush


def notify(
    subscribers: MutableSequence[dict[str, Any]],
    message: dict[str, Any] | str,
    *,
    topic: str | None = None,
    ttl: int = 3600,
) -> None:
    """Pushes `message` to every subscriber and removes those whose subscription is gone."""
    if isinstance(message, dict):
        topic = topic or f"order-{message['order']}"
        message = json.dumps(message)
    for subscriber in list(subscribers):
        try:
            webpush(
                subscriber,
                message,
                vapid_private_key=os.environ["VAPID_PRIVATE_KEY"],
                vapid_claims={"sub": "mailto:shop@example.com"},
                ttl=ttl,
                headers={"Urgency": "high", **({"Topic": topic} if topic else {})},
            )
        except WebPushException as error:
            if error.response is None or error.response.status_code not in (404, 410):
                raise
            subscribers.remove(subscriber)
