"""The version of the installed distribution; a module of its own because looking it up is slow."""

from __future__ import annotations

from importlib.metadata import version

__version__ = version("mockpush")
