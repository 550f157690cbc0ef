"""The real clocks, which a frozen clock in the user's test cannot stop.

freezegun replaces `time.time` wherever it finds it, even in modules that are imported later, but
leaves `clock_gettime` alone. time-machine changes both, and offers a way around itself.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import Final

_real: Final = (
    partial(time.time)
    if sys.platform == "win32"
    else partial(time.clock_gettime, time.CLOCK_REALTIME)
)


def real_time() -> float:
    """Seconds since the epoch, whatever freezegun or time-machine pretend."""
    time_machine = sys.modules.get("time_machine")
    if time_machine is not None and time_machine.escape_hatch.is_travelling():
        return float(time_machine.escape_hatch.time.time())
    return _real()


def process_time() -> float:
    """Seconds since the epoch as the process sees it: frozen when the user's test froze it.

    Tokens are judged by this clock, because the sender that signed them lives with it.
    """
    return time.time()
