"""Codes on delivery receipts (RFC 8030, Section 5.1) and on Prefer, by which they are asked for."""

from __future__ import annotations

from typing import Final

from mockpush.protocol.registry.row import Code, Level

_MUST, _, _PRACTICE, _, _INFO = Level

CODES: Final = (
    Code(
        "receipt.requested",
        _INFO,
        "RFC 8030, Section 5.1",
        "the request asks for a delivery receipt (`Prefer: respond-async`)",
        "Count on receipts only where you know the push service: none of the services of Chrome, "
        "Firefox, Safari and Edge gives them, and their answer stays 201.",
    ),
    Code(
        "receipt.subscription.unknown",
        _MUST,
        "RFC 8030, Section 5.1",
        "Link names a receipt subscription that this push service does not have",
        "Send back the URL of the Link `urn:ietf:params:push:receipt` exactly as an earlier 202 of "
        "the same push service gave it, and only while that resource is there; else leave it out.",
    ),
    Code(
        "receipt.not_requested",
        _PRACTICE,
        "RFC 8030, Section 5.1",
        "Link names a receipt subscription, yet the request asks for no receipt",
        "Add `Prefer: respond-async`; without it no receipt is sent.",
    ),
    Code(
        "receipt.draft",
        _PRACTICE,
        "RFC 8030, Section 5.1",
        "the request has a Push-Receipt header field, which RFC 8030 does not know",
        "Push-Receipt is of a draft. Ask for a receipt with `Prefer: respond-async`, and name the "
        'receipt subscription in `Link: <…>; rel="urn:ietf:params:push:receipt"`.',
    ),
    Code(
        "prefer.malformed",
        _INFO,
        "RFC 7240, Section 2",
        "Prefer is no list of preferences",
        "Write `Prefer: name` or `Prefer: name=value`, several separated by commas.",
    ),
    Code(
        "prefer.respond_async.value",
        _INFO,
        "RFC 7240, Section 4.1",
        "the preference respond-async has a value",
        "Write `Prefer: respond-async`, without a value.",
    ),
)
