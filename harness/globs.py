"""Globs, some of which exclude: what `-k` takes, and how cases name codes."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase


def selects(patterns: Iterable[str], name: str) -> bool:
    """Whether a pattern matches `name` and none that begins with `!` does.

    Without a pattern of the first kind every name matches that is not excluded.
    """
    patterns = tuple(patterns)
    included = [each for each in patterns if not each.startswith("!")]
    excluded = [each.removeprefix("!") for each in patterns if each.startswith("!")]
    if any(fnmatchcase(name, each) for each in excluded):
        return False
    return not included or any(fnmatchcase(name, each) for each in included)
