"""How long a browser takes to start and to end, and what is said of one that does not start."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from mockpush import errors

from ..deadlines import Deadline
from .finding import PRODUCTS
from .processes import Process

T = TypeVar("T")
PATIENCE: Final = 60.0
"""Real seconds for what takes long on a busy machine: a start, a first subscription."""
CLOSING: Final = 10.0
"""Real seconds in which a browser that is closed writes its profile."""
_LOOKS: Final = 0.01
"""Real seconds between two looks at a file."""

_CURES: Final = {
    "No usable sandbox": "its sandbox needs user namespaces, which an ordinary user of many "
    "containers may not make: allow them, or set MOCKPUSH_CHROMIUM_ARGS=--no-sandbox for pages "
    "that you trust",
    "No space left on device": "set TMPDIR to a directory with more room",
}
"""What helps, by what the log says."""


def port_of(kind: str, process: Process, file: Path, read: Callable[[str], T | None]) -> T:
    """What a browser writes into a file when it can be reached; `errors.BrowserError`."""
    deadline = Deadline(PATIENCE)
    while process.running and deadline.remaining:
        if file.exists() and (found := read(file.read_text())) is not None:
            return found
        time.sleep(_LOOKS)
    raise errors.BrowserError(_why(kind, process))


def end(process: Process, close: Callable[[], object]) -> None:
    """Lets a browser end by its own tools, so that it writes its profile, as far as it does."""
    with suppress(errors.BrowserError):
        close()
        process.wait(timeout=CLOSING)


def _why(kind: str, process: Process) -> str:
    """Its end, or what it waits for; what it says; and what may help."""
    code = process.wait(timeout=0)
    state = f"is not ready after {PATIENCE:g} s" if code is None else f"ended with exit code {code}"
    said = process.log
    says = f"It says: {said}" if said.strip() else "It says nothing."
    other = f"{PRODUCTS[kind].variable} names another program"
    cure = next((cure for sign, cure in _CURES.items() if sign in said), other)
    return f"{kind.capitalize()} has not started: {process.program} {state}; {cure}. {says}"
