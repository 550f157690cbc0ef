"""Codes on what shows only beside other requests and subscriptions of the tenant."""

from __future__ import annotations

from typing import Final

from mockpush.protocol.registry.row import Code, Level

_MUST, _SHOULD, _PRACTICE, _VENDOR, _INFO = Level

_CLOCK: Final = (
    "Set the sender's clock (NTP; suspended machines and containers drift). If the test moved the "
    "service's clock and `token_clock` is `service`, that is the difference."
)

CODES: Final = (
    Code(
        "vapid.token.other_service",
        _INFO,
        "RFC 8292, Section 2",
        "the same token was sent to another push service before",
        "Make a token for each origin: a cache of tokens, or of claims with aud in them, needs the "
        "origin of the endpoint as its key.",
        explains=("vapid.aud.mismatch",),
    ),
    Code(
        "vapid.aud.other_service",
        _INFO,
        "RFC 8292, Section 2",
        "aud is the origin of another push service",
        "Give your library a fresh copy of the claims for each push: several write aud into the "
        "dict that you pass, and keep it for the next endpoint. With pywebpush: "
        "`webpush(…, vapid_claims=dict(claims))`.",
        explains=("vapid.aud.mismatch",),
    ),
    Code(
        "vapid.key.rotated",
        _INFO,
        "RFC 8292, Section 4.2",
        "the key is one with which only newer subscriptions were made",
        "Browsers that subscribed with the old key must subscribe again with the new one: "
        "unsubscribe(), then subscribe(). Until then keep the old pair, note beside each "
        "subscription which key it was made with, and sign with that one.",
        explains=("vapid.key.mismatch",),
    ),
    Code(
        "vapid.key.other_subscription",
        _INFO,
        "RFC 8292, Section 4.2",
        "the key is one with which other subscriptions were made",
        "Note beside each subscription which key it was made with: here the keys of two "
        "applications, or the rows of two subscriptions, were mixed.",
        explains=("vapid.key.mismatch",),
    ),
    Code(
        "vapid.key.changed",
        _INFO,
        "RFC 8292, Section 4.2",
        "earlier pushes to this subscription came with the right key",
        "The sender has changed its key pair since: keep one pair in your configuration instead of "
        "making one at each start. After a wanted change browsers must subscribe again.",
        explains=("vapid.key.mismatch",),
    ),
    Code(
        "vapid.signature.other_subscription",
        _INFO,
        "RFC 8292, Section 4.2",
        "the token is signed with the key of another subscription, and another key is sent along",
        "Read the public and the private key from the same pair: one of the two is another "
        "application's.",
        explains=("vapid.signature.invalid",),
    ),
    Code(
        "vapid.token.outlived",
        _INFO,
        "RFC 8292, Section 2",
        "the same claims were still valid when they were first sent",
        "The sender keeps its token, the whole Authorization field, or its claims for longer than "
        "they are valid: make new ones some minutes before exp. Several libraries write exp into "
        "the dict of claims that you pass: give them a copy for each push.",
        explains=("vapid.exp.past",),
    ),
    Code(
        "vapid.clock.ahead",
        _INFO,
        "RFC 8292, Section 2",
        "the sender's clock is ahead of the service's",
        _CLOCK,
        explains=("vapid.exp.too_far", "vapid.nbf.future"),
    ),
    Code(
        "vapid.clock.behind",
        _INFO,
        "RFC 8292, Section 2",
        "the sender's clock is behind the service's",
        _CLOCK,
        explains=("vapid.exp.past",),
    ),
    Code(
        "reuse.nonce",
        _MUST,
        "RFC 8188, Section 2.1",
        "another payload was encrypted with the same key and nonce",
        "Make a new salt and a new P-256 key pair for each message: whoever sees two payloads "
        "under the same key and nonce can read and forge them. Do not seed the generator, nor keep "
        "the encryption object from one message to the next.",
    ),
    Code(
        "reuse.salt",
        _SHOULD,
        "RFC 8188, Section 2.1",
        "another message had the same salt",
        "Take 16 octets from the system's random generator for each message; the salt is neither "
        "a constant nor the subscription's `auth`.",
    ),
    Code(
        "reuse.key",
        _INFO,
        "RFC 8291, Section 3.1",
        "another message was encrypted with the same key pair of the sender",
        "Make a new P-256 key pair for each message: only then old messages stay secret when the "
        "key is lost.",
    ),
    Code(
        "retry_after.not_awaited",
        _PRACTICE,
        "RFC 9110, Section 10.2.3",
        "the push came before the time that Retry-After had named",
        "Read Retry-After of a 429 or 503 (seconds, or a date), keep the message until then, and "
        "wait a little longer each time that the answer stays the same.",
    ),
    Code(
        "subscription.not_removed",
        _PRACTICE,
        "RFC 8030, Section 7.3",
        "the subscription was answered 404 or 410 before",
        "Delete a subscription when the answer is 404 or 410: it never comes back, and push "
        "services throttle senders that go on.",
    ),
    Code(
        "ttl.zero.dropped",
        _PRACTICE,
        "RFC 8030, Section 5.2",
        "the message was dropped: its TTL is 0, and the user agent was not connected",
        "Set a TTL, `TTL: 86400` for example; 0 is the default of several libraries.",
    ),
)
