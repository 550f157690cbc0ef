"""The head of a push: what its header fields say, but for the Authorization field.

Application servers send the same fields again and again, so a head is read once.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from mockpush.protocol.findings import Finding
from mockpush.protocol.headers import (
    AESGCM,
    NO_PARAMETERS,
    DraftParameters,
    collect,
    findings_with_body,
    parse_cache_policy,
    parse_content_encoding,
    parse_draft_parameters,
    parse_topic,
    parse_ttl,
    parse_urgency,
)
from mockpush.protocol.model import Urgency
from mockpush.protocol.receipts import ReceiptRequest, read_receipt

Lines: TypeAlias = tuple[tuple[bytes, bytes], ...]
"""Field lines in order, names in lower case."""


class Head(NamedTuple):
    """What the fields say; None where there is none, or none that can be read.

    `relayed` are the fields that reach the user agent with the body. `findings_with_body` count
    only when there is a body.
    """

    ttl: int | None = None
    topic: str | None = None
    urgency: Urgency | None = None
    content_encoding: str | None = None
    parameters: DraftParameters = NO_PARAMETERS
    relayed: Lines = ()
    findings: tuple[Finding, ...] = ()
    findings_with_body: tuple[Finding, ...] = ()
    receipt: ReceiptRequest | None = None


@lru_cache(maxsize=256)
def read_head(lines: Lines) -> Head:
    """All that is in the fields."""
    fields = collect(lines)
    findings: list[Finding] = []
    ttl = parse_ttl(fields.get(b"ttl"), findings)
    topic = parse_topic(fields.get(b"topic"), findings)
    urgency = parse_urgency(fields.get(b"urgency"), findings)
    parse_cache_policy(fields.get(b"x-wns-cache-policy"), findings)
    parameters = parse_draft_parameters(
        fields.get(b"crypto-key"), fields.get(b"encryption"), findings
    )
    codings = fields.get(b"content-encoding")
    coding = parse_content_encoding(codings, findings)
    receipt = read_receipt(fields, findings)
    return Head(
        ttl,
        topic,
        urgency,
        coding,
        parameters,
        _relayed(lines, coding, parameters.dh),
        tuple(findings),
        findings_with_body(codings, coding),
        receipt,
    )


_OF_THE_BODY: Final = frozenset((b"content-type", b"content-encoding"))
_OF_THE_DRAFT: Final = _OF_THE_BODY | {b"encryption"}


def _relayed(lines: Iterable[tuple[bytes, bytes]], coding: str | None, dh: bytes | None) -> Lines:
    """What of a push message's header fields reaches the user agent (RFC 8030, Section 6).

    Not its Topic and Urgency (Sections 5.3 and 5.4), nor the application server's token and key
    (RFC 8292, Section 4.2); the draft coding puts that key beside a parameter that the user agent
    needs.
    """
    if coding != AESGCM:
        return _shared(tuple([line for line in lines if line[0] in _OF_THE_BODY]))
    kept = [line for line in lines if line[0] in _OF_THE_DRAFT]
    return tuple(kept if dh is None else [*kept, (b"crypto-key", b"dh=" + dh)])


@lru_cache(maxsize=256)
def _shared(fields: Lines) -> Lines:
    """The same tuple for the same fields: messages are many, and most have these alike."""
    return fields
