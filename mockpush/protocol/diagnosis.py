"""Why a body cannot be read: the mistakes that senders are known to make, tried one after another.

Each hypothesis is proved, by decryption under the mistake or by what the body visibly is; a body
that none explains keeps the error of the strict reader. The number of attempts is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from mockpush.errors import DecryptionError
from mockpush.protocol import aesgcm, encryption
from mockpush.protocol.content_coding import (
    TAG_LENGTH,
    ContentKeys,
    KeyMaterial,
)
from mockpush.protocol.headers import AES128GCM, AESGCM
from mockpush.protocol.mistakes import SCHEDULES, mistaken_keys
from mockpush.protocol.model import SubscriptionKeys
from mockpush.protocol.sealing import (
    Opening,
    Sealed,
    open_as_declared,
    open_either,
    opened,
    sealing_mistakes,
)
from mockpush.protocol.text_forms import FORMS, is_readable, readable_prefix

MAX_OTHERS: Final = 100
"""So many other subscriptions are tried, at about 0.1 ms each."""
MIN_EVIDENCE: Final = 16
"""So many readable octets are no accident: random ones are text once in millions of times."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a body cannot be read, in the terms of a finding.

    `detail` is a better hint than the registry's, where this body allows one; `plaintext` is what
    the body holds, where the cause lets us read it.
    """

    code: str
    expected: str | None
    actual: str | None
    detail: str | None = None
    plaintext: bytes | None = None


class _Trial(NamedTuple):
    """A hypothesis: if it holds, `keys` open what is `sealed` in this way."""

    code: str
    expected: str
    actual: str
    sealed: Sealed
    keys: ContentKeys
    opening: Opening = open_either
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class _Message:
    """A message that could not be read, with all that is known about it."""

    failure: DecryptionError
    body: bytes
    coding: str
    keys: SubscriptionKeys
    salt: bytes | None
    dh: bytes | None
    rs: int
    others: Iterable[tuple[str, SubscriptionKeys]]

    def sealed(self, coding: str, body: bytes) -> Sealed | None:
        """`body` taken apart as `coding` says, if that is possible."""
        if coding == AES128GCM:
            return Sealed.in_envelope(body)
        if coding == AESGCM:
            return Sealed.with_parameters(body, salt=self.salt, dh=self.dh, rs=self.rs)
        return None

    def agreed(self, coding: str, body: bytes) -> tuple[Sealed, KeyMaterial] | None:
        """The same with what the keys follow from, if we hold the private key."""
        sealed = self.sealed(coding, body)
        material = sealed and sealed.material(self.keys)
        return (sealed, material) if sealed and material else None


def diagnose(
    failure: DecryptionError,
    body: bytes,
    *,
    coding: str,
    keys: SubscriptionKeys,
    salt: bytes | None = None,
    dh: bytes | None = None,
    rs: int = aesgcm.DEFAULT_RECORD_SIZE,
    others: Iterable[tuple[str, SubscriptionKeys]] = (),
) -> Cause:
    """The cause of the `failure` with which the strict reader of `coding` refused `body`.

    `coding` is what Content-Encoding says, "" if there is none. `salt`, `dh` and `rs` are those of
    Encryption and Crypto-Key, if there are any, whatever the coding. Of `others`, other
    subscriptions by id, at most `MAX_OTHERS` are tried. Never raises, whatever the body.
    """
    message = _Message(failure, body, coding, keys, salt, dh, rs, others)
    causes = (hypothesis(message) for hypothesis in _HYPOTHESES)
    return next((cause for cause in causes if cause), _as_read(message))


def _as_read(message: _Message) -> Cause:
    failure = message.failure
    return Cause(failure.code, failure.expected, failure.actual)


def _visible_form(message: _Message) -> Cause | None:
    """The body is text, which encryption never produces."""
    for form in FORMS:
        octets = form.octets(message.body)
        if octets is not None:
            plaintext = octets if is_readable(octets) else _decrypted(message, octets)
            return Cause(form.code, form.expected, form.actual, plaintext=plaintext)
    return None


def _decrypted(message: _Message, body: bytes) -> bytes | None:
    agreed = message.agreed(message.coding, body)
    if agreed is None:
        return None
    sealed, material = agreed
    records = opened(open_either, sealed, SCHEDULES[sealed.coding](material))
    return None if records is None else _content(sealed.coding, records)


_JOIN: Final = {AES128GCM: encryption.join_records, AESGCM: aesgcm.join_records}
_OTHER: Final = {AES128GCM: AESGCM, AESGCM: AES128GCM}


def _content(coding: str, records: list[bytes]) -> bytes:
    """What the records hold; all of them, if their padding follows neither coding."""
    for name in (coding, _OTHER[coding]):
        try:
            return _JOIN[name](records).data
        except DecryptionError:
            continue
    return b"".join(records)


_CONCLUSIVE: Final = frozenset(("encryption.rs.too_small", "aesgcm.rs.too_small"))


def _conclusive(message: _Message) -> Cause | None:
    """A record size that no reader accepts needs no other explanation."""
    return _as_read(message) if message.failure.code in _CONCLUSIVE else None


_PADDING: Final = {
    AES128GCM: "the delimiter 0x02 after the content, as aes128gcm has it",
    AESGCM: "a pad length in two octets before the content, as the draft has it",
}
_FOREIGN_PADDING: Final = {
    "encryption.delimiter.wrong": "encryption.padding.draft",
    "aesgcm.padding.exceeds_record": "aesgcm.padding.final",
    "aesgcm.padding.not_zero": "aesgcm.padding.final",
}


def _padding(message: _Message) -> Cause | None:
    """The keys are right, but what they open is not padded as the coding says."""
    agreed = message.agreed(message.coding, message.body)
    if agreed is None:
        return None
    sealed, material = agreed
    records = opened(open_as_declared, sealed, SCHEDULES[sealed.coding](material))
    return None if records is None else _misread(message, records)


def _misread(message: _Message, records: list[bytes]) -> Cause:
    failure, coding = message.failure, message.coding
    content = _content(coding, records)
    foreign = _FOREIGN_PADDING.get(failure.code)
    if foreign and content != b"".join(records):
        return Cause(foreign, _PADDING[coding], _PADDING[_OTHER[coding]], plaintext=content)
    return Cause(failure.code, failure.expected, failure.actual, plaintext=content)


def _mistake(message: _Message) -> Cause | None:
    """The first mistake under which the body authenticates."""
    for trial in _trials(message):
        records = opened(trial.opening, trial.sealed, trial.keys)
        if records is not None:
            content = _content(trial.sealed.coding, records)
            actual = f"{trial.actual}: so the body decrypts to {len(content)} octets"
            return Cause(trial.code, trial.expected, actual, trial.detail, content)
    return None


def _trials(message: _Message) -> Iterator[_Trial]:
    agreed = message.agreed(message.coding, message.body)
    if agreed is not None:
        yield from _sealing_trials(*agreed)
        yield from _derivation_trials(*agreed)
        yield from _other_subscriptions(*agreed, message.others)
    yield from _other_coding(message)


def _sealing_trials(sealed: Sealed, material: KeyMaterial) -> Iterator[_Trial]:
    keys = SCHEDULES[sealed.coding](material)
    for code, expected, actual, opening in sealing_mistakes(sealed):
        yield _Trial(code, expected, actual, sealed, keys, opening)


def _derivation_trials(sealed: Sealed, material: KeyMaterial) -> Iterator[_Trial]:
    for mistake, keys in mistaken_keys(sealed.coding, material):
        yield _Trial(mistake.code, mistake.expected, mistake.actual, sealed, keys)


_KEEP_TOGETHER: Final = (
    "Keep endpoint, p256dh and auth of a subscription together: this push went to one with the "
    "{keys} of another ({name})."
)


def _other_subscriptions(
    sealed: Sealed, material: KeyMaterial, others: Iterable[tuple[str, SubscriptionKeys]]
) -> Iterator[_Trial]:
    schedule = SCHEDULES[sealed.coding]
    for name, keys in islice(others, MAX_OTHERS):
        mixed = [("auth", "auth", material._replace(auth=keys.auth))]
        if theirs := sealed.material(keys):
            mixed.append(("p256dh", "p256dh", theirs._replace(auth=material.auth)))
            mixed.append(("keys", "p256dh and auth", theirs))
        for kind, keys_of, ingredients in reversed(mixed):
            yield _Trial(
                f"encryption.{kind}.other_subscription",
                f"the {keys_of} of this subscription",
                f"the {keys_of} of subscription {name}",
                sealed,
                schedule(ingredients),
                detail=_KEEP_TOGETHER.format(keys=keys_of, name=name),
            )


def _other_coding(message: _Message) -> Iterator[_Trial]:
    for coding in _OTHER:
        if coding != message.coding and (agreed := message.agreed(coding, message.body)):
            sealed, material = agreed
            yield _Trial(
                "encryption.coding.mislabelled",
                f"Content-Encoding: {coding}",
                f"Content-Encoding: {message.coding or 'none'}",
                sealed,
                SCHEDULES[coding](material),
            )


def _unauthenticated(message: _Message) -> Cause | None:
    """The keys are right, since the body begins to make sense under them; its end was lost.

    AES-GCM is AES in counter mode and a tag, so the octets can be read without the tag. For a
    payload of text this proves that only the tag, or what follows the text, is wrong.
    """
    agreed = message.agreed(message.coding, message.body)
    if agreed is None:
        return None
    sealed, material = agreed
    octets = _without_tag(sealed.ciphertext, SCHEDULES[sealed.coding](material))
    if sealed.coding == AESGCM:
        octets = octets[aesgcm.PAD_LENGTH + int.from_bytes(octets[: aesgcm.PAD_LENGTH], "big") :]
    text = readable_prefix(octets)
    if len(text) < MIN_EVIDENCE:
        return None
    code, expected, actual = _lost_end(sealed.coding, octets[len(text) :])
    return Cause(code, expected, f"{len(text)} octets of text, then {actual}", plaintext=text)


def _without_tag(ciphertext: bytes, keys: ContentKeys) -> bytes:
    counter = keys.nonce + (2).to_bytes(4, "big")
    cipher = Cipher(algorithms.AES(keys.key), modes.CTR(counter))
    return cipher.decryptor().update(ciphertext)


def _lost_end(coding: str, rest: bytes) -> tuple[str, str, str]:
    """What became of the delimiter and the tag that should follow the text."""
    expected = f"the text, the padding and a tag of {TAG_LENGTH} octets"
    if not rest:
        return "encryption.body.truncated", expected, "nothing"
    tag = rest[1:].lstrip(b"\x00")
    if coding == AESGCM or rest[0] != 2 or len(tag) >= TAG_LENGTH:
        return "encryption.body.altered", expected, f"{len(rest)} octets that do not authenticate"
    if tag:
        return "encryption.body.truncated", expected, f"{len(tag)} octets of the tag"
    return "encryption.tag.missing", expected, "the delimiter, but no tag"


_HYPOTHESES: Final[tuple[Callable[[_Message], Cause | None], ...]] = (
    _visible_form,
    _conclusive,
    _padding,
    _mistake,
    _unauthenticated,
)
