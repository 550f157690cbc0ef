"""Profiles of the user's own: a file of Python that defines them."""

from __future__ import annotations

import runpy
from pathlib import Path

from mockpush.errors import ConfigurationError
from mockpush.protocol.judging import Profile


def read_profiles(file: Path) -> tuple[Profile, ...]:
    """Every `Profile` among the names that the file defines, in their order.

    `ConfigurationError` if it cannot be read or run, or defines none.
    """
    try:
        names = runpy.run_path(str(file))
    except (OSError, SyntaxError, ImportError, NameError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{file} cannot be used: {error}") from error
    found = [value for value in names.values() if isinstance(value, Profile)]
    if not found:
        raise ConfigurationError(f"{file} defines no mockpush.protocol.judging.Profile")
    return tuple(found)
