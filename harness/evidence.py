"""Evidence: what the judge asked for, what the sender answered, and what reached the service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from mockpush.client.records import Message, Request

from .jobs import Job, SendJob, SendResult
from .keeping import AnyResult, NotifyJob, NotifyResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One job and what came of it: the sender's result, the requests, the messages accepted."""

    job: SendJob
    result: SendResult
    requests: tuple[Request, ...]
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """A job to notify everybody, and what came of it: as with one push."""

    job: NotifyJob
    result: NotifyResult
    requests: tuple[Request, ...]
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A job that sends nothing, and the sender's result."""

    job: Job[object]
    result: AnyResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A job to which the sender gave no result, and what came of it; `error` says how it ended."""

    job: Job[object]
    error: str
    requests: tuple[Request, ...] = ()


Seen: TypeAlias = Push | FanOut | Answered | Unanswered
"""A job, and what there was to see of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that a case saw. `log` is the end of what the sender wrote to standard error."""

    jobs: tuple[Seen, ...] = ()
    log: str = ""


NOTHING: Final = Evidence()
