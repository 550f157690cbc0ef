"""Broadcasts: versions of things that user agents keep up to date with, told by a megaphone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Final
from urllib.request import urlopen

MEGAPHONE_TIMEOUT: Final = 1.0
"""Real seconds."""
MAX_ANSWER: Final = 1024 * 1024


class Broadcasts:
    """What the megaphone at `url` says, asked when somebody wants to know, but not too often.

    It answers `{"broadcasts": {id: version}}`. Without a URL there are none; while it cannot be
    reached, those that it said last.
    """

    def __init__(self, url: str | None, *, every: float) -> None:
        self._url = url
        self._every = every
        self._due = float("-inf")
        self._versions: Mapping[str, str] = {}
        self._asking: asyncio.Task[None] | None = None

    async def current(self) -> Mapping[str, str]:
        """The versions, at most `every` seconds old (real time)."""
        if self._url is not None and self._due <= asyncio.get_running_loop().time():
            if self._asking is None:
                self._asking = asyncio.ensure_future(self._ask(self._url))
            await asyncio.wait((self._asking,))
        return self._versions

    async def _ask(self, url: str) -> None:
        try:
            self._versions = await asyncio.to_thread(_read, url)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            pass  # as if nothing had changed
        finally:
            self._asking = None
            self._due = asyncio.get_running_loop().time() + self._every


def _read(url: str) -> Mapping[str, str]:
    with urlopen(url, timeout=MEGAPHONE_TIMEOUT) as answer:  # noqa: S310 - the setting is http(s)
        versions = json.loads(answer.read(MAX_ANSWER))["broadcasts"]
    return {str(name): str(version) for name, version in versions.items()}
