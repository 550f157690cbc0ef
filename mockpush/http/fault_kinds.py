"""What the members of a fault plan may be."""

from __future__ import annotations

import re
from email.utils import formatdate, parsedate_to_datetime
from typing import Any, Final, NamedTuple

from mockpush.faults import MAX_DELAY, RetryAfter, Span
from mockpush.http.kinds import Json, Kind, choice, duration, integer, record, text
from mockpush.http.listings import read_time
from mockpush.protocol.clock import MAX_DURATION, parse_duration
from mockpush.protocol.fault_kinds import FaultKind

MAX_COUNT: Final = 1_000_000_000
MAX_BODY: Final = 1_000_000

_TIME: Final = re.compile(r"[0-9]{4}-.*", re.DOTALL)
_NUMBER_OR_TEXT: Final[list[Json]] = [{"type": "number"}, {"type": "string"}]


class Moment(NamedTuple):
    """A time: so many seconds since the epoch, or from now on."""

    seconds: float
    relative: bool

    def on(self, now: float) -> float:
        """The time on a clock that says `now`."""
        return now + self.seconds if self.relative else self.seconds


def _described(words: str, schemas: list[Json]) -> Json:
    return {"anyOf": schemas, "description": words}


def _seconds(longest: float) -> Kind[float]:
    plain = duration(parse_duration)

    def read(value: object) -> float:
        seconds = plain.read(value)
        if not 0 <= seconds <= longest:
            raise ValueError(f"it is at most {longest:g} seconds")
        return seconds

    return Kind(plain.words, plain.schema, read)


_DURATION: Final = _seconds(MAX_DURATION)


def _moment(value: object) -> Moment:
    if isinstance(value, str) and _TIME.fullmatch(value):
        return Moment(read_time(value), relative=False)
    return Moment(_DURATION.read(value), relative=True)


def _nth(value: object) -> Span:
    if isinstance(value, str):
        return Span.parse(value)
    return Span.parse(str(integer(1, MAX_COUNT).read(value)))


def _probability(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError
    return float(value)


def _retry_after(value: object) -> RetryAfter:
    if isinstance(value, dict):
        return RetryAfter(_DATE_IN.read(value)["date"], as_date=True)
    if isinstance(value, str) and _TIME.fullmatch(value):
        return RetryAfter(formatdate(read_time(value), usegmt=True))
    if isinstance(value, str) and "," in value:
        return RetryAfter(formatdate(parsedate_to_datetime(value).timestamp(), usegmt=True))
    return RetryAfter(_DURATION.read(value))


def _fields(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise ValueError
    return tuple(value.items())


def _body(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_BODY:
        raise ValueError
    value.encode()  # lone surrogates are a ValueError
    return value


_MOMENT_WORDS: Final = "an ISO 8601 time on the tenant's clock, or a duration from now on"
_NTH_WORDS: Final = "the number of a request, or a range of them such as 2-5 or 4-"
_RETRY_WORDS: Final = (
    'a duration, which is sent in seconds; {"date": duration}, which is sent as a date in real '
    "time; or a date"
)
_HEADERS_WORDS: Final = "an object of header fields, each value a string"
_BODY_WORDS: Final = f"a text of at most {MAX_BODY} characters"

_DATE_IN: Final = record({"date": _DURATION}, required=("date",))
_MOMENT: Final = Kind(_MOMENT_WORDS, _described(_MOMENT_WORDS, _NUMBER_OR_TEXT), _moment)

MATCH: Final = record(
    {
        "subscription": text("the id of a subscription"),
        "profile": text("the name of a profile"),
        "topic": text("a topic"),
        "nth": Kind(
            _NTH_WORDS, _described(_NTH_WORDS, [{"type": "integer"}, {"type": "string"}]), _nth
        ),
        "probability": Kind(
            "a number from 0 to 1", {"type": "number", "minimum": 0, "maximum": 1}, _probability
        ),
        "seed": integer(0, MAX_COUNT),
        "from": _MOMENT,
        "until": _MOMENT,
    }
)

_LIMIT: Final = record(
    {"requests": integer(0, MAX_COUNT), "window": _DURATION}, required=("requests", "window")
)

ACTION: Final = record(
    {
        "kind": choice(*FaultKind),
        "status": integer(200, 599),
        "answer": text("the name of an answer of the profile"),
        "headers": Kind(
            _HEADERS_WORDS,
            {"type": "object", "additionalProperties": {"type": "string"}},
            _fields,
        ),
        "body": Kind(_BODY_WORDS, {"type": "string", "maxLength": MAX_BODY}, _body),
        "retry_after": Kind(
            _RETRY_WORDS,
            _described(_RETRY_WORDS, [*_NUMBER_OR_TEXT, _DATE_IN.schema]),
            _retry_after,
        ),
        "location": text("a URL or a path", r"[!-~]{1,2048}"),
        "limit": _LIMIT,
        "delay": _seconds(MAX_DELAY),
    }
)

PLAN: Final = record(
    {"match": MATCH, "times": integer(1, MAX_COUNT), "action": ACTION}, required=("action",)
)


def shown_nth(span: Span | None) -> int | str | None:
    """As `nth` may be written."""
    if span is None:
        return None
    return span.first if span.first == span.last else str(span)


def shown_retry_after(value: RetryAfter | None) -> Any:
    """As `retry_after` may be written."""
    if value is None:
        return None
    return {"date": value.value} if value.as_date else value.value
