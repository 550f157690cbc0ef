"""Where mockpush keeps what it can make or get again, for the user who runs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

CACHE: Final = "MOCKPUSH_CACHE_DIR"
"""The variable that names the directory."""

_CACHES: Final = ("XDG_CACHE_HOME", "LOCALAPPDATA")
"""Those that name the directory of all caches, in which ours has its own. Of relative ones nothing
is to be made (XDG Base Directory Specification)."""


def cache_directory(environ: Mapping[str, str]) -> Path:
    """`$MOCKPUSH_CACHE_DIR`, else `$XDG_CACHE_HOME/mockpush`, else `~/.cache/mockpush`."""
    if own := environ.get(CACHE):
        return Path(own).expanduser().absolute()
    named = (Path(environ.get(name, "")) for name in _CACHES)
    caches = next((each for each in named if each.is_absolute()), Path.home() / ".cache")
    return caches / "mockpush"
