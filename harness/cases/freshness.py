"""Many messages in a row: what must be new in each, and what must be right in all (RFC 8291)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from mockpush.client.records import Request
from mockpush.errors import DecryptionError, WaitError
from mockpush.protocol.encryption import read_envelope
from mockpush.protocol.findings import Level
from mockpush.protocol.headers import collect, parse_draft_parameters
from mockpush.protocol.inspection import draft_values

from ..case import Ask, CaseTable
from ..evidence import Push
from ..jobs import quoted
from ..trial import ARRIVAL, EndedError, Trial, payload_of
from ..verdict import Problem

TABLE: Final = CaseTable()

MANY: Final = 30
"""Messages of one process: they show a salt or a key that is kept for some messages, or recurs."""
_STEP: Final = 137
FEW: Final = 5
"""Messages where each takes a process of its own, which can keep nothing."""


@TABLE.judged("rfc8188/2.1/fresh-salt", "Every message has a salt of its own.")
def fresh_salt(trial: Trial) -> Iterator[Problem]:
    salts = [salt for salt, _ in _envelopes(trial) if salt is not None]
    yield from _distinct(trial, "salt", salts)
    if len(set(salts)) == len(salts):
        yield from _random(trial, salts)


@TABLE.judged("rfc8291/3.1/fresh-key", "Every message is encrypted with a new key pair.")
def fresh_key(trial: Trial) -> Iterator[Problem]:
    keys = [key for _, key in _envelopes(trial) if key is not None]
    yield from _distinct(trial, "public key", keys)


@TABLE.judged(
    "rfc8291/3.4/many-payloads",
    "Of many messages, short and long ones, each arrives as it was given.",
)
def many_payloads(trial: Trial) -> Iterator[Problem]:
    pushes = _pushes(trial)
    asked = Counter(push.job.payload for push in pushes)
    arrived = Counter(payload_of(message) for push in pushes for message in push.messages)
    if lost := (asked - arrived).total():
        wrong = next((push for push in pushes if not _arrived(push)), pushes[-1])
        came = [payload_of(message) for message in wrong.messages]
        yield trial.problem(
            f"{lost} of {len(pushes)} messages did not arrive as they were given",
            expected=quoted(wrong.job.payload),
            actual=quoted(came[0]) if came else str(wrong.requests[0]),
            hint="What goes wrong for some messages only depends on the payload, its length, or "
            "the random values of the encryption.",
            request=wrong.requests[0],
        )


def _arrived(push: Push) -> bool:
    return any(payload_of(message) == push.job.payload for message in push.messages)


def _pushes(trial: Trial) -> list[Push]:
    """Many in a row; each payload comes twice, so that what is made of it alone recurs."""
    count = MANY if trial.lasting else FEW
    asks = [Ask(payload=_payload(number // 2)) for number in range(count)]
    pushes = trial.shared.once("many messages", lambda: _send(trial, asks))
    if not trial.evidence.jobs:  # they were sent in another case
        for push in pushes:
            trial.saw(push)
    return pushes


def _send(trial: Trial, asks: Sequence[Ask]) -> list[Push]:
    """All of them in a row: nothing is looked at in between, which would take longer than they do.

    Requests belong to jobs by their order, and all that are too many to the last. `EndedError` if
    there are fewer.
    """
    jobs = [trial.job(ask, to=trial.subscription) for ask in asks]
    results = [trial.ask(job, to=trial.subscription) for job in jobs]
    with suppress(WaitError):
        trial.control.wait_requests(len(jobs), timeout=ARRIVAL)
    requests = trial.control.requests
    messages = {each.request: each for each in trial.control.messages}
    ends = [*range(1, len(jobs)), max(len(jobs), len(requests))]
    pushes = []
    for number, (job, result, end) in enumerate(zip(jobs, results, ends, strict=True)):
        came = tuple(requests[number:end])
        taken = tuple(messages[each.id] for each in came if each.message)
        pushes.append(Push(job=job, result=result, requests=came, messages=taken))
        trial.saw(pushes[-1])
    if not pushes[-1].requests:
        raise EndedError(trial.nothing_arrived(pushes[-1]))
    return pushes


def _payload(number: int) -> bytes:
    """Of all lengths that every sender takes, with contents that differ in each octet."""
    length = 1 + number * _STEP
    return bytes((number + position * 7) % 256 for position in range(length))


def _envelopes(trial: Trial) -> list[tuple[bytes | None, bytes | None]]:
    return [_salt_and_key(each) for push in _pushes(trial) for each in push.requests]


def _salt_and_key(request: Request) -> tuple[bytes | None, bytes | None]:
    """The salt and the sender's public key, None where there is none to read."""
    lines = [
        (name.lower().encode(), value.encode("latin-1")) for name, value in request.headers.lines
    ]
    fields = collect(lines)
    encryption = fields.get(b"encryption")
    if encryption is not None:
        draft = parse_draft_parameters(fields.get(b"crypto-key"), encryption, [])
        return draft_values(draft)[:2]
    try:
        envelope = read_envelope(request.body)
    except DecryptionError:
        return None, None
    return envelope.salt, envelope.keyid


def _distinct(trial: Trial, what: str, values: Sequence[bytes]) -> Iterator[Problem]:
    if not values:
        yield trial.problem(f"no {what} can be read", expected=f"a {what} in each message")
    if len(different := set(values)) < len(values):
        yield trial.problem(
            f"messages share a {what}",
            expected=f"{len(values)} different ones",
            actual=str(len(different)),
        )


def _random(trial: Trial, salts: list[bytes]) -> Iterator[Problem]:
    """A problem if octets are the same in all of them, which chance makes once in 10^8 runs."""
    same = sum(len(set(octets)) == 1 for octets in zip(*salts, strict=False))
    if same and len(salts) >= FEW:
        yield trial.problem(
            "salts are not random",
            expected="16 octets of a random number generator",
            actual=f"{same} octets that are the same in all {len(salts)}",
            hint="A counter or the time recurs when the process starts anew, or the clock is set.",
            level=Level.SHOULD,
        )
