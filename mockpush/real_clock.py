"""The real clocks, which a frozen clock in the user's test cannot stop.

freezegun replaces the attributes of modules, so the originals are kept in default arguments.
time-machine changes the C functions themselves and offers a way around itself.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable


def real_time(_time: Callable[[], float] = time.time) -> float:
    """Seconds since the epoch, whatever freezegun or time-machine pretend."""
    time_machine = sys.modules.get("time_machine")
    if time_machine is not None and time_machine.escape_hatch.is_travelling():
        return float(time_machine.escape_hatch.time.time())
    return _time()


def process_time() -> float:
    """Seconds since the epoch as the process sees it: frozen when the user's test froze it.

    Tokens are judged by this clock, because the sender that signed them lives with it.
    """
    return time.time()
