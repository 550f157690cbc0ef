"""What was known of the libraries before the judge saw them: by captures, and by their sources."""

from __future__ import annotations

from typing import Final, NamedTuple

PYWEBPUSH: Final = ("pywebpush", "pywebpush-async", "pywebpush-aesgcm")
DJANGO: Final = ("django-push-notifications", "django-webpush")
FETCH: Final = ("block65-webcrypto-web-push", "pushforge-builder", "webpush-webcrypto")
"""Their requests are sent by fetch, as their READMEs have it."""


class Deviation(NamedTuple):
    """`what` the `senders` were known to do, and the `case` that shows it, if one does.

    `note` says why there is no such case, or why it names others.
    """

    what: str
    senders: tuple[str, ...]
    case: str = ""
    note: str = ""


DEVIATIONS: Final = (
    Deviation(
        "`aud` lacks the port",
        ("webpush", "webpush-rs", "rust-web-push", "java-web-push"),
        "rfc8292/2/aud-is-origin",
    ),
    Deviation(
        "the coding of the draft, aesgcm, unless told otherwise",
        ("pywebpush-aesgcm", "pushforge-builder", "webpush-webcrypto", "java-web-push"),
        "rfc8291/4/aes128gcm",
        "pywebpush-aesgcm is told to; @block65/webcrypto-web-push did until 2.0.0",
    ),
    Deviation(
        "the scheme `WebPush` of a draft, or `vapid` with a body of the draft",
        ("pywebpush-aesgcm", "pushforge-builder", "webpush-webcrypto", "java-web-push"),
        "rfc8292/3/vapid-scheme",
    ),
    Deviation(
        "a TTL of 0 becomes 60, a day, or four weeks",
        ("block65-webcrypto-web-push", "pushforge-builder", "webpush-rs"),
        "rfc8030/5.2/ttl-zero-as-asked",
    ),
    Deviation(
        "no TTL but its own, or none of more than a day",
        ("webpush-rs", "pushforge-builder"),
        "rfc8030/5.2/ttl-as-asked",
    ),
    Deviation(
        "a token lives as long as its message: a day and not less, or some seconds",
        ("pushforge-builder",),
        "rfc8292/2/exp-within-24-hours",
    ),
    Deviation(
        "payloads of more than 3052 octets are refused",
        ("webpush-rs", "rust-web-push"),
        "rfc8030/7.2/4096-octets",
    ),
    Deviation(
        "301 and 302 make a GET of the POST, and that is success",
        (*PYWEBPUSH, *DJANGO, "webpush", *FETCH, "go-webpush"),
        "rfc9110/15.4.3/302-loses-nothing",
    ),
    Deviation(
        "307 ends in `TypeError: fetch failed`",
        FETCH,
        "rfc9110/15.4.8/307-loses-nothing",
        "an error is right: nobody takes the message for sent",
    ),
    Deviation(
        "204 is an error",
        (*PYWEBPUSH, *DJANGO),
        "rfc9110/15.3.5/204-is-success",
    ),
    Deviation(
        "nobody is told of Retry-After, nor of the status",
        ("webpush-rs", "django-push-notifications"),
        "rfc8030/8.4/429-retry-after",
    ),
    Deviation(
        "every 2xx is reported as 201",
        ("webpush-rs",),
        note="success is success: its number is not judged",
    ),
    Deviation(
        "a subscription that answers 404 is kept",
        ("django-webpush",),
        "app/prunes-404",
    ),
    Deviation(
        "an answer other than 410 ends the fan-out",
        DJANGO,
        "app/failures-do-not-stop-the-others",
    ),
    Deviation(
        "no payload becomes the JSON `null`",
        ("block65-webcrypto-web-push", "pushforge-builder", "django-webpush"),
        "rfc8030/5/no-payload",
        "null is a payload to the first two, which have no push without one; the last does it in "
        "a fan-out only, `send_to_subscription` sends none",
    ),
    Deviation(
        "the error quotes a method of Python in place of the answer",
        ("pywebpush-async",),
        note="seen in `str(error)`; the adapter hands on `error.message`, which is right",
    ),
    Deviation(
        "one message in 256 cannot be read, or none of more than 2820 octets",
        (),
        note="C# and PHP, which are no ready senders",
    ),
)
