"""Evidence: what the judge asked for, what the sender answered, and what reached the service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mockpush.client.records import Message, Request

from .jobs import SendJob, SendResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One job and what came of it: the sender's result, the requests, the messages accepted."""

    job: SendJob
    result: SendResult
    requests: tuple[Request, ...]
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A job to which the sender gave no result, and what came of it; `error` says how it ended."""

    job: SendJob
    error: str
    requests: tuple[Request, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that a case saw. `log` is the end of what the sender wrote to standard error."""

    jobs: tuple[Push | Unanswered, ...] = ()
    log: str = ""


NOTHING: Final = Evidence()
