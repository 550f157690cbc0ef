"""How the token and its key travel, and which key it is (RFC 8292, Sections 3 and 4)."""

from __future__ import annotations

from typing import Final

from ..case import CaseTable

TABLE: Final = CaseTable()

_WHOSE_KEY: Final = ("vapid.key.rotated", "vapid.key.other_subscription", "vapid.key.changed")
"""They explain why it is not the subscription's."""

TABLE.free_of(
    "rfc8292/4.2/identified",
    "A push to a restricted subscription identifies its sender.",
    "vapid.absent",
    "vapid.not_sent",
)
TABLE.free_of(
    "rfc8292/3/vapid-scheme",
    "The Authorization field has the scheme vapid with the parameters t and k.",
    "vapid.scheme.*",
    "vapid.authorization.*",
    "vapid.separator.*",
    "vapid.parameter.*",
)
TABLE.free_of(
    "rfc8292/3.2/key-form",
    "k is the uncompressed public key in base64url without padding.",
    "vapid.key.*",
    "!vapid.key.mismatch",
    *(f"!{code}" for code in _WHOSE_KEY),
    "!vapid.key.equals_encryption_key",
    "vapid.p256ecdsa.*",
)
TABLE.free_of(
    "rfc8292/4.2/key-of-the-subscription",
    "The token is signed with the key that the subscription was made with.",
    "vapid.key.mismatch",
    *_WHOSE_KEY,
    "vapid.signature.other_key",
)
TABLE.free_of(
    "rfc8292/3.2/key-of-its-own",
    "The signing key is not used for encryption.",
    "vapid.key.equals_encryption_key",
)
