"""The shape of a row of the registry."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding weighs, heaviest first. The level is that of the requirement."""

    MUST = "must"
    """breaks a MUST or MUST NOT of an RFC"""
    SHOULD = "should"
    """breaks a SHOULD of an RFC"""
    PRACTICE = "practice"
    """legal, yet it loses messages or breaks at some push services"""
    VENDOR = "vendor"
    """legal, yet at least one real push service refuses it"""
    INFORMATION = "information"
    """worth knowing"""


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding. `code` is stable: it is API.

    `section` names where the rule stands; `text` is a sentence that states the fact; `hint` says
    what to do about it. `needs_keys`: only decryption shows it, so it never decides an answer.
    `explains`: the codes of which this one names the cause.
    """

    code: str
    level: Level
    section: str
    text: str
    hint: str
    needs_keys: bool = False
    explains: tuple[str, ...] = ()
