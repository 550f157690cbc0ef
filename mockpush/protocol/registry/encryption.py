"""Codes on the encryption of the payload: aes128gcm, the draft aesgcm, and why a body cannot be read."""

from __future__ import annotations

from typing import Final

from .row import Code

CODES: Final[tuple[Code, ...]] = ()
