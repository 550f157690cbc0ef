"""Codes on the decrypted payload: what a page can read, how large it is, Declarative Web Push."""

from __future__ import annotations

from typing import Final

from mockpush.protocol.registry.row import Code, Level

_PRACTICE, _INFO = Level.PRACTICE, Level.INFORMATION
_PUSH_API: Final = "W3C Push API, Section 3.3"
_FALLS_THROUGH: Final = (
    "As it is, the message is no declarative one: Safari shows nothing by itself, and a service "
    "worker gets an ordinary push event."
)

CODES: Final = (
    Code(
        "payload.not_utf8",
        _PRACTICE,
        "Chromium, push event",
        "the payload is not UTF-8, and Chromium gives the page no data at all for it",
        "Send text as UTF-8, and octets in base64: Chromium's push event has `data === null` for "
        "anything else, although the message was decrypted.",
        needs_keys=True,
    ),
    Code(
        "payload.too_large",
        _PRACTICE,
        "RFC 8291, Section 4",
        "the payload is larger than the 3993 octets that fit into every push message",
        "Shorten it: with aes128gcm 3993 octets make the 4096 that every push service must take. "
        "Send an identifier and let the page fetch the rest.",
        needs_keys=True,
    ),
    Code(
        "payload.large",
        _INFO,
        "Mozilla, errno 104",
        "the payload is larger than what push services take for constrained devices",
        "Mozilla's service refuses encrypted bodies over about 3070 octets for devices that it "
        "reaches over other vendors' services, with 413: stay below 2967 octets to reach them.",
        needs_keys=True,
    ),
    Code(
        "payload.declarative",
        _INFO,
        _PUSH_API,
        "the payload is a declarative push message, which browsers that know them show themselves",
        "Safari 18.4 and newer show it without a service worker; other browsers dispatch a push "
        "event with this JSON, so the service worker should still handle it.",
        needs_keys=True,
    ),
    Code(
        "payload.declarative.web_push",
        _PRACTICE,
        _PUSH_API,
        "web_push is not the number 8030",
        f'Write `"web_push": 8030`, a number. {_FALLS_THROUGH}',
        needs_keys=True,
    ),
    Code(
        "payload.declarative.notification",
        _PRACTICE,
        _PUSH_API,
        "a declarative push message needs a notification, which is an object",
        f"Put title and navigate into `notification`. {_FALLS_THROUGH}",
        needs_keys=True,
    ),
    Code(
        "payload.declarative.title",
        _PRACTICE,
        _PUSH_API,
        "the notification of a declarative push message needs a title",
        f"Give `notification.title` a text that is not empty. {_FALLS_THROUGH}",
        needs_keys=True,
    ),
    Code(
        "payload.declarative.navigate",
        _PRACTICE,
        _PUSH_API,
        "the notification of a declarative push message needs a URL to navigate to",
        f"Give `notification.navigate` the URL to open on activation. {_FALLS_THROUGH}",
        needs_keys=True,
    ),
    Code(
        "payload.declarative.navigate.relative",
        _PRACTICE,
        _PUSH_API,
        "navigate is relative, and versions of WebKit read absolute URLs only",
        "Write the whole URL, beginning with https://: the Push API resolves it against the URL of "
        "the subscription's scope, but WebKit's own parser did not always.",
        needs_keys=True,
    ),
    Code(
        "payload.declarative.member",
        _PRACTICE,
        _PUSH_API,
        "members of a declarative push message do not have the type that they should have",
        "Give them the type named here. The Push API ignores such a member; WebKit gives up on the "
        "whole message.",
        needs_keys=True,
    ),
    Code(
        "payload.declarative.misplaced",
        _PRACTICE,
        _PUSH_API,
        "app_badge or mutable stands inside of the notification",
        "Move it to the top level, beside `web_push`: drafts and some examples have it inside, the "
        "Push API reads it outside.",
        needs_keys=True,
    ),
    Code(
        "payload.declarative.unknown",
        _INFO,
        _PUSH_API,
        "a declarative push message has members that browsers pass over",
        "Check their spelling. What is meant for your own service worker belongs into "
        "`notification.data`.",
        needs_keys=True,
    ),
    Code(
        "payload.declarative.conflict",
        _PRACTICE,
        "WHATWG Notifications, create a notification",
        "the notification asks for what excludes each other, so that it is never created",
        f"`renotify` needs a `tag`, and `silent` allows no `vibrate`. {_FALLS_THROUGH}",
        needs_keys=True,
    ),
)
