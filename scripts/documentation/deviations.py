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
        "rfc8291/3.4/payload-longest",
        "pushforge-builder sends it, in quotes",
    ),
    Deviation(
        "301 and 302 make a GET of the POST, and that is success",
        (*PYWEBPUSH, *DJANGO, "webpush", *FETCH, "go-webpush"),
        "rfc9110/15.4.3/302-loses-nothing",
        "java-web-push follows none, and hands over an answer that says 302",
    ),
    Deviation(
        "307 ends in `TypeError: fetch failed`",
        FETCH,
        "rfc9110/15.4.8/307-loses-nothing",
        "an error is right: nobody takes the message for sent",
    ),
    Deviation(
        "the answer is handed over, whatever its status: no error for who does not look at it",
        ("go-webpush", "java-web-push"),
        "rfc9110/15.5.1/400-is-an-error",
    ),
    Deviation(
        "more than 4079 octets make several records, or one that is longer than it says",
        (*PYWEBPUSH, *DJANGO, "webpush", "web-push", "java-web-push"),
        "rfc8291/4/payload-of-4100",
        "java-webpush is new here",
    ),
    Deviation(
        "from 3994 octets on the body has more than 4096, and is sent all the same",
        (*PYWEBPUSH, *DJANGO, "webpush", "web-push"),
        "rfc8291/4/payload-of-3994",
        "it is one whole record, and the 413 of a push service with that limit is reported",
    ),
    Deviation(
        "a Topic of 54 characters with spaces is sent",
        (*PYWEBPUSH, "go-webpush", *FETCH),
        "rfc8030/5.4/topic-never-changed",
        "the push service refuses it, and that is reported",
    ),
    Deviation(
        "`sub` is `mailto:mailto:…`",
        ("go-webpush",),
        "rfc8292/2.1/sub-is-a-contact",
        "for who gives it an address with mailto:, of which its README warns",
    ),
    Deviation(
        "Crypto-Key goes with aes128gcm",
        ("java-web-push",),
        "rfc8291/4/no-draft-fields",
        "5.1.2 uses aesgcm unless told otherwise, where the field belongs",
    ),
    Deviation(
        "204 is an error",
        (*PYWEBPUSH, *DJANGO),
        "rfc9110/15.3.5/204-is-success",
        "java-webpush is new here",
    ),
    Deviation(
        "nobody is told of Retry-After, nor of the status",
        ("webpush-rs", "django-push-notifications"),
        "rfc8030/8.4/429-retry-after",
        "go-webpush and java-web-push hand over an answer that says both: to who looks at it",
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
        note="null is a payload to the first two, which have no push without one; the last does it "
        "in a fan-out only, `send_to_subscription` sends none",
    ),
    Deviation(
        "no payload is encrypted as if it were an empty one",
        ("go-webpush",),
        "rfc8030/5/no-payload",
        "rust-web-push is new here: without a payload it leaves out the token",
    ),
    *(
        Deviation(what, (), case, "not known before")
        for what, case in (
            ("the query of an endpoint is written anew", "rfc9112/3.2.1/endpoint-as-given"),
            ("an answer that breaks off is waited for, for ever", "rfc9112/8/wrong-length"),
            ("a fan-out loses TTL, urgency and topic", "app/ttl-as-asked"),
        )
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
