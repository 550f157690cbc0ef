"""django-push-notifications as a sender, and as the application that it makes of a Django project.

A project has one key pair, in its settings: that of the last job. `send` is a device's
`send_message`, `notify` is that of all devices: when that raises, it has given up in the middle,
and who calls it has to take the message as failed. A device that is not active is forgotten.
"""

from __future__ import annotations

import base64
from importlib.metadata import version
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "push_notifications"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    PUSH_NOTIFICATIONS_SETTINGS={},
)
django.setup()
call_command("migrate", verbosity=0)

from push_notifications.exceptions import WebPushError  # noqa: E402 - Django has to be set up
from push_notifications.models import WebPushDevice  # noqa: E402
from requests import RequestException  # noqa: E402

Job = dict[str, Any]


def answer(job: Job) -> Job:
    """The result of a job."""
    if "vapid" in job:
        _set_keys(job["vapid"])
    return _OPERATIONS[job["op"]](job)


def _set_keys(vapid: Job) -> None:
    settings.PUSH_NOTIFICATIONS_SETTINGS.update(
        WP_PRIVATE_KEY=vapid["private_key"], WP_CLAIMS={"sub": vapid["subject"]}
    )


def _hello(job: Job) -> Job:
    name = "django-push-notifications"
    ops = [op for op in _OPERATIONS if op != "hello"]
    return {"name": name, "version": version(name), "ops": ops, "language": "Python"}


def _send(job: Job) -> Job:
    device = WebPushDevice.objects.create(**_members(job["subscription"]))
    try:
        result = device.send_message(_payload(job), **_options(job))
    except WebPushError as error:
        return {"ok": False, "error": str(error)}
    finally:
        device.delete()
    if "success" in result:
        return {"ok": True}
    return {"ok": False, "gone": not device.active, "error": result["results"][0]["error"]}


def _subscribe(job: Job) -> Job:
    WebPushDevice.objects.update_or_create(**_members(job["subscription"]))
    return {"ok": True}


def _notify(job: Job) -> Job:
    devices = WebPushDevice.objects.filter(active=True)
    count = devices.count()
    try:
        results = devices.send_message(_payload(job), **_options(job))
    except (WebPushError, RequestException) as error:
        return {"ok": False, "sent": 0, "failed": count, "error": str(error)}
    sent = sum("success" in each for each in results)
    return {"ok": True, "sent": sent, "failed": len(results) - sent}


def _subscriptions(job: Job) -> Job:
    active = WebPushDevice.objects.filter(active=True)
    return {"endpoints": [*active.values_list("registration_id", flat=True)]}


def _reset(job: Job) -> Job:
    WebPushDevice.objects.all().delete()
    return {"ok": True}


def _members(subscription: Job) -> Job:
    keys = subscription["keys"]
    return {
        "registration_id": subscription["endpoint"],
        "p256dh": keys["p256dh"],
        "auth": keys["auth"],
    }


def _payload(job: Job) -> bytes | None:
    return None if job["payload"] is None else base64.b64decode(job["payload"])


def _options(job: Job) -> Job:
    """What pywebpush is given; urgency and topic have no parameters of their own."""
    asked = {"Urgency": job["urgency"], "Topic": job["topic"]}
    headers = {name: value for name, value in asked.items() if value is not None}
    return {"ttl": job["ttl"], "headers": headers}


_OPERATIONS = {
    "hello": _hello,
    "send": _send,
    "subscribe": _subscribe,
    "notify": _notify,
    "subscriptions": _subscriptions,
    "reset": _reset,
}
