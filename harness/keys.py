"""The application server's key pair, in every form that senders want it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mockpush.protocol.keys import generate_key_pair, load_private_key
from mockpush.protocol.model import base64url_encode

SUBJECT: Final = "mailto:push@example.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class VapidKeys:
    """A P-256 pair (RFC 8292, Section 2) and the contact for `sub`.

    The keys are the uncompressed point and the scalar in base64url, and PKCS #8 in PEM.
    """

    subject: str
    public_key: str
    private_key: str
    private_key_pem: str

    @classmethod
    def generate(cls) -> Self:
        """A new pair."""
        scalar, point = generate_key_pair()
        pem = load_private_key(scalar).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        return cls(
            subject=SUBJECT,
            public_key=base64url_encode(point),
            private_key=base64url_encode(scalar),
            private_key_pem=pem.decode("ascii"),
        )

    def as_json(self) -> dict[str, str]:
        """The member `vapid` of a job."""
        return {
            "subject": self.subject,
            "public_key": self.public_key,
            "private_key": self.private_key,
            "private_key_pem": self.private_key_pem,
        }
