"""Rows 26 to 32: TTL and Topic, the life of subscriptions, back-off."""

from __future__ import annotations

from mockpush import PushService, Server
from mockpush.client.control import Control
from mockpush.client.transports.asgi import AsgiTransport
from mockpush.options import ServiceOptions
from mockpush.storage.base import Limits

from .application import MAILTO, Application
from .table import assert_told, row


@row(26)
def ttl_zero_at_edge(application):
    answer = application.push(application.subscribe("wns"), headers={"TTL": "0"})
    assert answer.status_code == 400
    description = answer.headers["X-WNS-ERROR-DESCRIPTION"]
    assert description == "Ttl value conflicts with X-WNS-Cache-Policy."
    assert_told(application.told(), "400 ttl.zero", "Edge's service (WNS) refuses TTL 0 with 400")


@row(27)
def no_ttl_at_edge(application):
    application.push(application.subscribe("wns"), headers={"TTL": None})
    assert_told(application.told(), "ttl.missing: the request has no TTL", "Add `TTL: <seconds>`")


@row(28)
def no_ttl(application):
    for profile in ("rfc", "fcm", "mozilla"):
        answer = application.push(application.subscribe(profile), headers={"TTL": None})
        assert answer.status_code == 400
        assert_told(application.told(), "400 ttl.missing: the request has no TTL header field")


@row(29)
def ttl_zero_and_nobody_there(application):
    subscription = application.subscribe(online=False)
    assert application.webpush(subscription, {"sub": MAILTO}).ok  # its TTL is 0 by default
    [message] = application.service.messages
    assert message.state == "dropped"
    assert "ttl.zero.dropped" in message.codes
    assert_told(
        application.told(),
        "ttl.zero.dropped: the message was dropped: its TTL is 0, and the user "
        "agent was not connected",
        "`TTL: 86400`",
    )


@row(30)
def topic_that_vendors_refuse(application):
    answer = application.push(application.subscribe("apple"), headers={"Topic": "new_event"})
    assert (answer.status_code, answer.json()) == (400, {"reason": "BadWebPushTopic"})
    assert_told(application.told(), "400 topic.length_mod_4", "`newEvent` works")
    answer = application.push(application.subscribe("mozilla"), headers={"Topic": 33 * "t"})
    assert (answer.status_code, answer.json()["errno"]) == (400, 113)
    assert_told(application.told(), "400 topic.too_long", "at most 32 characters")


@row(31)
def dead_subscription_is_kept(application):
    for status in (404, 410):
        subscription = application.subscribe()
        subscription.expire(status)
        assert application.push(subscription).status_code == status
        assert "subscription.not_removed" not in application.codes()
        assert_told(application.told(), "both 404 and 410 mean that it never comes back")
        first = application.service.requests[-1]
        for _ in range(2):
            assert application.push(subscription).status_code == status
        assert_told(
            application.told(),
            "subscription.not_removed: the subscription was answered 404 or 410 before",
            f"no push after the answer {status} to request {first.id}",
            "it was answered 404 or 410 2 times before",
            "Delete a subscription when",
        )


@row(32)
def retry_after_is_not_awaited(application):
    options = ServiceOptions(limits=Limits(messages=1))
    server = Server(PushService(options), port=0, https_port=0)
    with (
        server.running(),
        server.trusted(),
        AsgiTransport(server.app, server.submit, url=server.url) as transport,
    ):
        busy = Application(Control(transport))
        subscription = busy.subscribe(online=False)
        statuses = [busy.push(subscription).status_code for _ in range(3)]
        assert statuses == [201, 503, 503]
        assert_told(
            busy.told(),
            "503",
            "retry_after.not_awaited: the push came before the time that Retry-After had named",
            "expected after 60 s, as the answer 503 to request 2 said, got after 0.",
            "keep the message until then",
        )
        busy.service.clock.advance(60)
        busy.push(subscription)
        assert "retry_after.not_awaited" not in busy.codes()
