"""Findings: the facts that an inspection states about one request."""

from __future__ import annotations

from typing import NamedTuple

from mockpush.protocol.registry import REGISTRY, Code, Level

__all__ = ["REGISTRY", "Code", "Finding", "Level"]


class Finding(NamedTuple):
    """A fact about one request: a code of the registry with what was expected and what came.

    `detail` replaces the registry's hint where the request allows a better one.
    """

    code: str
    expected: str | None = None
    actual: str | None = None
    detail: str | None = None

    @property
    def rule(self) -> Code:
        """The row of the registry."""
        return REGISTRY[self.code]

    @property
    def level(self) -> Level:
        """How much it weighs."""
        return self.rule.level

    @property
    def hint(self) -> str:
        """What to do about it."""
        return self.detail or self.rule.hint

    def as_json(self) -> dict[str, str | list[str] | None]:
        """The members of a finding in the control API."""
        rule = self.rule
        return {
            "code": self.code,
            "level": rule.level.value,
            "section": rule.section,
            "text": rule.text,
            "expected": self.expected,
            "actual": self.actual,
            "hint": self.hint,
            "explains": list(rule.explains),
        }

    def __str__(self) -> str:
        return f"{self.code}: {self.rule.text} [{self.rule.section}]"
