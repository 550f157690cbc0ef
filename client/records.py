"""What the service keeps, as read-only views of its JSON.

A record shows its moment: read it again through `Control` to see what has happened since.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Generic, Self, TypeVar, cast, overload

from mockpush import errors
from mockpush.protocol.findings import Level
from mockpush.protocol.model import MessageState, Urgency

from .api import Api, Json
from .headers import Headers
from .portability import Acceptance, matrix

T = TypeVar("T")


def _as_it_is(value: Any) -> Any:
    return value


class Member(Generic[T]):
    """One member of the JSON, as an attribute; one that is missing or null is None."""

    def __init__(self, read: Callable[[Any], T] = _as_it_is) -> None:
        self._read = read
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, record: None, owner: type) -> Self: ...
    @overload
    def __get__(self, record: Record, owner: type) -> T: ...
    def __get__(self, record: Record | None, owner: type) -> Self | T:
        if record is None:
            return self
        value = record.raw.get(self._name)
        return cast("T", None) if value is None else self._read(value)


class Record:
    """`raw` is the JSON as it came."""

    __slots__ = ("raw",)

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw

    def __eq__(self, other: object) -> bool:
        return self.raw == other.raw if isinstance(other, type(self)) else NotImplemented


class Finding(Record):
    """A fact about one request: what was checked, and what was wrong with it."""

    __slots__ = ()

    code = Member[str]()
    level = Member[str]()
    section = Member[str]()
    text = Member[str]()
    expected = Member["str | None"]()
    actual = Member["str | None"]()
    hint = Member[str]()
    explains = Member["list[str] | None"]()
    """the codes of findings whose cause this one names"""

    def __str__(self) -> str:
        return f"{self.code}: {self.text} [{self.section}]"

    def __repr__(self) -> str:
        return f"<Finding {self}>"


def _findings(value: list[Json]) -> list[Finding]:
    return [Finding(item) for item in value]


def _octets(value: Json) -> bytes:
    return base64.b64decode(value["base64"])


class Judged(Record):
    """What messages and requests share."""

    __slots__ = ()

    id = Member[str]()
    tenant = Member[str]()
    subscription = Member["str | None"]()
    received_at = Member[datetime](datetime.fromisoformat)
    findings = Member["list[Finding]"](_findings)
    answers = Member["dict[str, Json]"]()
    """what each profile would have answered, by its name"""
    objections = Member["dict[str, list[Json]]"]()
    """`{status, reason, finding}`, what profiles that would not take the push object to"""

    @property
    def codes(self) -> list[str]:
        """The codes of the findings."""
        return [finding.code for finding in self.findings or ()]

    def accepted_by(self, profile: str) -> Acceptance:
        """Whether this push service takes such a push; if not, its `repr` says in which words.

        What became of the subscription here does not count. `InvalidRequestError` names the
        profiles that there are.
        """
        if profile not in self.answers:
            valid = ", ".join(self.answers)
            raise errors.InvalidRequestError(f"there is no profile {profile!r}; there is: {valid}")
        return Acceptance(profile, self.objections.get(profile, ()))

    @property
    def matrix(self) -> str:
        """The answers of all profiles in a line: `rfc 201 · apple 403 BadJwtToken (…)`."""
        texts = (finding.text for finding in self.findings or ())
        return " · ".join(answer.text for answer in matrix(self.answers or {}, texts))


class Message(Judged):
    """An accepted push message. `ttl` is in seconds, `size` in octets of the encrypted body."""

    __slots__ = ("_api",)

    request = Member[str]()
    expires_at = Member[datetime](datetime.fromisoformat)
    state = Member[MessageState](MessageState)
    ttl = Member[int]()
    topic = Member["str | None"]()
    urgency = Member["Urgency | None"](Urgency)
    content_encoding = Member["str | None"]()
    size = Member[int]()
    decryption = Member[str]()
    """`ok`, `none` (no payload), `failed`, `opaque` (we do not hold the keys) or `pending`"""
    fault = Member["Json | None"]()
    """`{id, kind, …}` of the fault plan that came over the answer, if one did"""
    vapid = Member["Json | None"]()
    timeline = Member["list[Json]"]()
    receipt = Member["Json | None"]()
    """if asked for: `url` of the receipt subscription; `status`, 204 or 410 once it is out"""

    def __init__(self, raw: Mapping[str, Any], api: Api) -> None:
        super().__init__(raw)
        self._api = api

    @property
    def bytes(self) -> bytes:
        """The payload after decryption, empty if there is none.

        `errors.DecryptionError` with the finding and its hint if it cannot be read.
        """
        payload = self.raw.get("payload")
        if payload is not None:
            return _octets(payload)
        if self.decryption == "none":
            return b""
        raise self._unreadable()

    def text(self) -> str:
        """The payload as UTF-8."""
        return self.bytes.decode()

    def json(self) -> Any:
        """The payload as JSON."""
        return json.loads(self.bytes)

    def acknowledge(self) -> None:
        """Acknowledges the message as its user agent would."""
        self._api.post("messages", self.id, "acknowledge")

    def cancel(self) -> None:
        """Withdraws the message: it is not delivered any more."""
        self._api.delete("messages", self.id)

    def _unreadable(self) -> errors.DecryptionError:
        finding = self._cause()
        if self.decryption != "failed" or finding is None:
            reason = _UNREADABLE.get(self.decryption, "the service does not say why")
            return errors.DecryptionError(
                f"decryption.{self.decryption}",
                actual=f"the payload of message {self.id} cannot be read: {reason}",
            )
        return errors.DecryptionError(
            finding.code,
            expected=finding.expected,
            actual=f"the payload of message {self.id} cannot be read, {finding.text} "
            f"(expected {finding.expected}, got {finding.actual}) [{finding.section}]. "
            f"{finding.hint}",
        )

    def _cause(self) -> Finding | None:
        """The finding that names why decryption failed: it is stated last."""
        ours = (each for each in reversed(self.findings) if each.code.startswith(_OF_PAYLOADS))
        return next(ours, None)

    def __repr__(self) -> str:
        parts = [f"Message {self.id} {self.state}", f"ttl={self.ttl}"]
        parts += [f"topic={self.topic!r}"] if self.topic is not None else []
        parts += [f"urgency={self.urgency}"] if self.urgency is not None else []
        parts += [_excerpt(self.raw["payload"])] if self.raw.get("payload") else []
        parts += [f"findings={self.codes}"] if self.codes else []
        return f"<{' '.join(parts)}>"


_OF_PAYLOADS: Final = ("encryption.", "aesgcm.", "content_encoding.")
_UNREADABLE: Final = {
    "opaque": "only the user agent can: the service does not hold the private key of the "
    "subscription, unless `push_service.subscribe()` makes the keys or is given the `private_key`",
    "pending": "it has not been decrypted yet: read the message again",
}


def _excerpt(payload: Json) -> str:
    text = payload.get("text")
    if text is None:
        return f"payload={payload['size']} octets"
    return repr(text if len(text) <= 60 else f"{text[:59]}…")


class Request(Judged):
    """One request to a push resource, refused or not."""

    __slots__ = ()

    message = Member["str | None"]()
    profile = Member[str]()
    """the one that answered"""
    method = Member[str]()
    target = Member[str]()
    http_version = Member[str]()
    headers = Member[Headers](Headers)
    body = Member[bytes](_octets)
    answer = Member["Json | None"]()
    """`{status, headers, body}`; None if a fault let none go out"""
    fault = Member["Json | None"]()
    """`{id, kind, replaces}` of the fault plan that came over the answer, if one did"""

    @property
    def status(self) -> int | None:
        """The status of the answer."""
        return None if self.answer is None else int(self.answer["status"])

    @property
    def refused(self) -> bool:
        """Whether the message was not taken: the answer was no success, or there was none."""
        return self.status is None or self.status >= 300

    @property
    def injected(self) -> bool:
        """Whether a fault decided the answer, rather than the push service."""
        return bool(self.fault and self.fault.get("replaces", True))

    @property
    def senders_fault(self) -> bool:
        """Whether it was refused, and not for what a test arranges: a state, a limit, a fault."""
        finding = self.finding
        arranged = finding is not None and finding.level == Level.INFORMATION
        return self.refused and not self.injected and not arranged

    @property
    def finding(self) -> Finding | None:
        """The finding that decided a refusal."""
        if not self.refused or self.injected:
            return None
        code = self._deciding_code()
        return next((finding for finding in self.findings or () if finding.code == code), None)

    @property
    def explanation(self) -> Finding | None:
        """What earlier requests and other subscriptions tell about the cause of a refusal."""
        decisive = None if self.finding is None else self.finding.code
        explains = (each for each in self.findings or () if decisive in (each.explains or ()))
        return next(explains, None)

    @property
    def codes(self) -> list[str]:
        """The codes of the findings, that which decided a refusal first."""
        codes = super().codes
        decisive = None if self.finding is None else self.finding.code
        return sorted(codes, key=lambda code: code != decisive)

    def _deciding_code(self) -> str | None:
        codes = (self.answers or {}).get(self.profile, {}).get("codes")
        return codes[0] if codes else None

    def __str__(self) -> str:
        said = "no answer" if self.status is None else str(self.status)
        if self.fault is not None:
            said += f" by fault {self.fault['id']} ({self.fault['kind']})"
        if self.injected or not self.refused:
            return said
        said += f" {self.finding or (self.answer or {}).get('body') or 'without a finding'}"
        cause = self.explanation
        return said + (f"; {cause.text}: {cause.actual}" if cause else "")

    def __repr__(self) -> str:
        codes = f" {self.codes}" if self.codes else ""
        said = self.status or "no answer"
        return f"<Request {self.id} {self.method} {self.target} -> {said}{codes}>"
