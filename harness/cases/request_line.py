"""The request on the wire: where it goes, and its fields one by one (RFC 9110, RFC 9112)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from mockpush.protocol.model import Urgency
from mockpush.vapid_keys import VapidKeys

from ..case import Ask, CaseTable
from ..evidence import Push
from ..trial import NotApplicableError, Trial
from ..verdict import Problem

TABLE: Final = CaseTable()

_ONCE: Final = (
    "Host",
    "Content-Length",
    "Content-Type",
    "Content-Encoding",
    "Authorization",
    "TTL",
    "Urgency",
    "Topic",
)
_QUERY: Final = "id=BQYAAA%2bc%2Fd%20e%3d%3D&v=1"
"""As WNS has them: whoever decodes it on the way is refused."""
_SHAPES: Final = ("mozilla", "fcm", "apple", "wns")
_TRIPLET: Final = re.compile("%[0-9a-f]{2}", re.IGNORECASE)
_INJECTED: Final = "X-Injected"


@TABLE.judged(
    "rfc9110/5.3/one-line-for-each-field",
    "No header field of a push is sent twice.",
)
def one_line_each(trial: Trial) -> Iterator[Problem]:
    for request in _with_options(trial).requests:
        for name in _ONCE:
            if len(lines := request.headers.get_all(name)) > 1:
                yield trial.problem(
                    f"the request has several {name} fields",
                    expected="one",
                    actual=", ".join(lines),
                    hint="Set the field where it has been set before, instead of adding another.",
                    request=request,
                )


def _with_options(trial: Trial) -> Push:
    """A push with a topic and an urgency, if the sender has such options."""
    for ask in (Ask(topic="inbox-01", urgency=Urgency.HIGH), Ask(urgency=Urgency.HIGH)):
        try:
            return trial.send(ask)
        except NotApplicableError:
            continue
    return trial.send(Ask())


@TABLE.judged(
    "rfc9110/5.5/no-fields-by-the-way",
    "A line break in a topic adds no header field to the request.",
)
def no_fields_by_the_way(trial: Trial) -> Iterator[Problem]:
    push = trial.attempt(Ask(topic=f"inbox\r\n{_INJECTED}: 1"))
    for request in push.requests:
        if request.headers.get(_INJECTED) is not None:
            yield trial.problem(
                "what was asked for as a topic became a header field",
                expected="an error, and no request",
                actual=f"{_INJECTED}: {request.headers[_INJECTED]}",
                hint="Whoever chooses a topic chooses header fields, too: refuse line breaks.",
                request=request,
            )


@TABLE.judged(
    "rfc9112/3.2.1/endpoint-as-given",
    "The request goes to the endpoint as it was given, query and percent-encoding included.",
)
def endpoint_as_given(trial: Trial) -> Iterator[Problem]:
    own = trial.subscription.endpoint
    endpoint = f"{own}{'&' if '?' in own else '?'}{_QUERY}"
    push = trial.send(Ask(), subscription={**trial.subscription, "endpoint": endpoint})
    yield from _compare_target(trial, push, endpoint)


_AUD: Final = ("vapid.aud.*", "!vapid.aud.port_missing")
"""All but what has nothing to do with the form."""


@TABLE.judged(
    "rfc9112/3.2/any-push-service",
    "Endpoints of every push service's form are pushed to, with their own origin as aud.",
    codes=_AUD,
    section="RFC 9112, Section 3.2; RFC 8292, Section 2",
)
def any_push_service(trial: Trial) -> Iterator[Problem]:
    for name in _SHAPES:
        pair = VapidKeys.generate()  # so that each has a token of its own
        target = trial.control.subscribe(profile=name, application_server_key=pair.public_key)
        push = trial.send(Ask(), to=target, vapid=pair)
        yield from _compare_target(trial, push, target.endpoint)
    yield from trial.findings(*_AUD)


def _compare_target(trial: Trial, push: Push, endpoint: str) -> Iterator[Problem]:
    """Problems if the target or the Host are not those of the endpoint.

    The case of hexadecimal digits is no difference (RFC 3986, Section 6.2.2.1).
    """
    parts = urlsplit(endpoint)
    expected = parts._replace(scheme="", netloc="").geturl()
    actual = push.requests[0].target
    if _equal_case(actual) != _equal_case(expected):
        yield from trial.compare("the request target", expected, actual, push=push)
    yield from trial.compare_field(push, "Host", parts.netloc)


def _equal_case(target: str) -> str:
    return _TRIPLET.sub(lambda triplet: triplet[0].upper(), target)
