"""What only thousands of messages show: sizes that fail, and a message in 256 that is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, groupby
from typing import Final

from mockpush.client.records import Request
from mockpush.protocol.findings import Level
from mockpush.vapid_keys import VapidKeys

from ..case import Ask, CaseTable
from ..jobs import SendJob
from ..series import Lost, Series
from ..trial import Trial
from ..verdict import Problem
from .delivery import LONGEST_PAYLOAD
from .reports import seen

TABLE: Final = CaseTable()

MESSAGES: Final = 3000
"""One in 256 is then missed once in 125 000 runs: 1 - (255/256)^3000."""
PAIRS: Final = 1000
"""Tokens: r or s of a signature begins with a zero octet in one of 128."""
BY_CHANCE: Final = 100
"""As many sizes may fail for a reason that is not their size, and are tried again."""
AGAIN: Final = 2
"""How often."""
NAMED: Final = 8
"""Ranges of sizes that are named."""

_FIXED: Final = (
    "What begins with a zero octet, as one in 256 does, still has 32 octets: the shared secret of "
    "ECDH, each coordinate of a point, a private key, r and s of a signature."
)


@TABLE.judged(
    "rfc8291/3.4/every-size",
    f"A payload of every size up to {LONGEST_PAYLOAD} octets arrives.",
    section="RFC 8291, Section 3.4; RFC 8030, Section 7.2",
    codes=("encryption.*", "aesgcm.*", "body.*"),
    thorough=True,
)
def every_size(trial: Trial) -> Iterator[Problem]:
    sizes = range(1, LONGEST_PAYLOAD + 1)
    series = Series(trial, total=len(sizes))
    lost = series.lost(trial.job(Ask(payload=_text(size)), to=trial.subscription) for size in sizes)
    for _ in range(AGAIN):  # a message that is lost for another reason is no matter of its size
        if 0 < len(lost.jobs) <= BY_CHANCE:
            lost = replace(series.lost(lost.jobs), tried=lost.tried)
    if lost.jobs:
        failing = sorted(len(job.payload or b"") for job in lost.jobs)
        yield from lost.told(
            trial,
            trial.problem(
                "payloads of some sizes do not arrive",
                expected=f"payloads of 1 to {LONGEST_PAYLOAD} octets",
                actual=f"not those of {_ranges(failing)} octets; {_first(lost)}",
                hint="Look for a padding, a record or a buffer of a fixed size.",
                level=Level.PRACTICE if lost.refused else None,
                request=_request(lost),
            ),
        )


@TABLE.judged(
    "rfc8291/3.4/none-of-thousands-is-lost",
    f"Of {MESSAGES} messages every one arrives.",
    section="RFC 8291, Section 3.4",
    codes=("encryption.*", "aesgcm.*"),
    thorough=True,
)
def none_is_lost(trial: Trial) -> Iterator[Problem]:
    jobs = (
        trial.job(Ask(payload=b"message %d" % number), to=trial.subscription)
        for number in range(MESSAGES)
    )
    yield from _all_arrive(trial, Series(trial, total=MESSAGES).lost(jobs), "messages")


@TABLE.judged(
    "rfc8292/2/every-key-pair",
    f"Messages of {PAIRS} application servers to {PAIRS} user agents all arrive.",
    section="RFC 8292, Section 2; RFC 8291, Section 3.1",
    codes=("vapid.*", "encryption.*", "aesgcm.*"),
    thorough=True,
)
def every_key_pair(trial: Trial) -> Iterator[Problem]:
    lost = Series(trial, total=PAIRS).lost(_with_new_keys(trial))
    yield from _all_arrive(trial, lost, "messages, each with new keys on both sides,")


def _with_new_keys(trial: Trial) -> Iterator[SendJob]:
    for number in range(PAIRS):
        pair = VapidKeys.generate()
        to = trial.control.subscribe(application_server_key=pair.public_key)
        yield trial.job(Ask(payload=b"message %d" % number), to=to, vapid=pair)


def _all_arrive(trial: Trial, lost: Lost, what: str) -> Iterator[Problem]:
    if lost.jobs:
        yield from lost.told(
            trial,
            trial.problem(
                f"some {what} do not arrive",
                expected=f"all {lost.tried}",
                actual=f"{len(lost.jobs)} are lost; {_first(lost)}",
                hint=_FIXED,
                request=_request(lost),
            ),
        )


def _text(size: int) -> bytes:
    """So many octets that are text, since not every sender takes others."""
    return (b"0123456789" * (size // 10 + 1))[:size]


def _first(lost: Lost) -> str:
    result = lost.examples[0].result
    said = "success" if result.ok else "failure"
    return f"for the first the sender reported {said}, {seen(result)}"


def _request(lost: Lost) -> Request | None:
    return next((request for each in lost.examples for request in each.requests), None)


def _ranges(numbers: list[int]) -> str:
    """`[1, 3, 4, 5]` as `1, 3 to 5`."""
    steps = count()
    runs = [list(run) for _, run in groupby(numbers, key=lambda number: number - next(steps))]
    shown = [f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs[:NAMED]]
    more = len(runs) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
