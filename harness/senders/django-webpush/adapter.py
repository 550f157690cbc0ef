"""django-webpush as a sender, and as the application that it makes of a Django project.

A project has one key pair, in its settings: that of the last job. `send` is `send_to_subscription`,
`subscribe` is the library's own view, and `notify` is `send_group_notification`, which writes every
payload as JSON. It returns nothing, and when it raises, it has given up in the middle: who calls it
has to take the message as failed.
"""

from __future__ import annotations

import base64
import json
from importlib.metadata import version
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.test import RequestFactory

settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "webpush"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    ALLOWED_HOSTS=["*"],
    WEBPUSH_SETTINGS={},
)
django.setup()
call_command("migrate", verbosity=0)

from django.contrib.auth.models import AnonymousUser  # noqa: E402 - Django has to be set up
from pywebpush import WebPushException  # noqa: E402
from requests import RequestException  # noqa: E402
from webpush import send_group_notification  # noqa: E402
from webpush.models import Group, SubscriptionInfo  # noqa: E402
from webpush.utils import send_to_subscription  # noqa: E402
from webpush.views import save_info  # noqa: E402

GROUP = "everybody"

Job = dict[str, Any]


def answer(job: Job) -> Job:
    """The result of a job."""
    if "vapid" in job:
        _set_keys(job["vapid"])
    for option in ("urgency", "topic"):
        if job.get(option) is not None:
            return {"unsupported": option}
    return _OPERATIONS[job["op"]](job)


def _set_keys(vapid: Job) -> None:
    settings.WEBPUSH_SETTINGS = {
        "VAPID_PUBLIC_KEY": vapid["public_key"],
        "VAPID_PRIVATE_KEY": vapid["private_key"],
        "VAPID_ADMIN_EMAIL": vapid["subject"].removeprefix("mailto:"),
    }


def _hello(job: Job) -> Job:
    name = "django-webpush"
    ops = [op for op in _OPERATIONS if op != "hello"]
    return {"name": name, "version": version(name), "ops": ops, "language": "Python"}


def _send(job: Job) -> Job:
    payload = None if job["payload"] is None else base64.b64decode(job["payload"])
    keys = job["subscription"]["keys"]
    subscription = SubscriptionInfo.objects.create(
        endpoint=job["subscription"]["endpoint"], p256dh=keys["p256dh"], auth=keys["auth"]
    )
    try:
        response = send_to_subscription(subscription, payload, ttl=job["ttl"])
    except WebPushException as error:
        return _failure(error)
    finally:
        SubscriptionInfo.objects.filter(endpoint=subscription.endpoint).delete()
    if response is None:  # it was gone, and has been deleted
        return {"ok": False, "gone": True}
    return {"ok": True, "status": response.status_code}


def _failure(error: WebPushException) -> Job:
    retry_after = error.retry_after
    seconds = retry_after is not None and retry_after.isdigit()
    return {
        "ok": False,
        "status": error.status_code,
        "retry_after": int(retry_after) if seconds else retry_after,
        "error": error.message,
    }


def _subscribe(job: Job) -> Job:
    data = {"status_type": "subscribe", "group": GROUP, "browser": "chrome"}
    body = json.dumps({**data, "subscription": job["subscription"]})
    request = RequestFactory().post("/", body, content_type="application/json")
    request.user = AnonymousUser()
    return {"ok": save_info(request).status_code == 201}


def _notify(job: Job) -> Job:
    text = None if job["payload"] is None else base64.b64decode(job["payload"]).decode()
    Group.objects.get_or_create(name=GROUP)
    before = SubscriptionInfo.objects.count()
    try:
        send_group_notification(group_name=GROUP, payload=text, ttl=job["ttl"])
    except (WebPushException, RequestException) as error:
        return {"ok": False, "sent": 0, "failed": before, "error": str(error)}
    sent = SubscriptionInfo.objects.count()
    return {"ok": True, "sent": sent, "failed": before - sent}


def _subscriptions(job: Job) -> Job:
    return {"endpoints": [*SubscriptionInfo.objects.values_list("endpoint", flat=True)]}


def _reset(job: Job) -> Job:
    SubscriptionInfo.objects.all().delete()
    return {"ok": True}


_OPERATIONS = {
    "hello": _hello,
    "send": _send,
    "subscribe": _subscribe,
    "notify": _notify,
    "subscriptions": _subscriptions,
    "reset": _reset,
}
