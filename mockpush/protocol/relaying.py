"""What of a push message's header fields reaches the user agent (RFC 8030, Section 6).

Not its Topic and Urgency (Sections 5.3 and 5.4), nor the application server's token and key (RFC
8292, Section 4.2); the draft coding puts that key beside a parameter that the user agent needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, TypeAlias

from mockpush.protocol.headers import AESGCM
from mockpush.protocol.inspection import Inspection

Fields: TypeAlias = tuple[tuple[bytes, bytes], ...]

_OF_THE_BODY: Final = frozenset((b"content-type", b"content-encoding"))
_OF_THE_DRAFT: Final = _OF_THE_BODY | {b"encryption"}


def relayed(headers: Iterable[tuple[bytes, bytes]], inspection: Inspection) -> Fields:
    """The fields to deliver with the body, as they were sent; `headers` have lower-case names."""
    if inspection.content_encoding != AESGCM:
        return _shared(tuple(line for line in headers if line[0] in _OF_THE_BODY))
    lines = [line for line in headers if line[0] in _OF_THE_DRAFT]
    dh = inspection.parameters.dh
    return tuple(lines if dh is None else [*lines, (b"crypto-key", b"dh=" + dh)])


@lru_cache(maxsize=256)
def _shared(fields: Fields) -> Fields:
    """The same tuple for the same fields: messages are many, and most have these alike."""
    return fields
