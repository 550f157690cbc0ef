"""Whether a sender looks who answers: certificates (RFC 8030, Section 8; RFC 9110, Section 4.3.4).

The environment of a sender makes it trust the service's certificate authority, so what is wrong
with these certificates is one thing each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from mockpush.real_clock import real_time
from mockpush.tls import LEAF_LIFETIME, CertificateAuthority

from ..case import Ask, CaseTable
from ..impostor import impostor
from ..trial import Trial
from ..verdict import Problem

TABLE: Final = CaseTable()

_SECTIONS: Final = "RFC 9110, Section 4.3.4; RFC 8030, Section 8"
_HERE: Final = ("localhost", "127.0.0.1", "::1")
_ELSEWHERE: Final = ("push.example.net",)


def _unknown_authority(trusted: CertificateAuthority) -> bytes:
    return CertificateAuthority.create().issue(_HERE)


def _other_host(trusted: CertificateAuthority) -> bytes:
    return trusted.issue(_ELSEWHERE)


def _expired(trusted: CertificateAuthority) -> bytes:
    ended_yesterday = LEAF_LIFETIME + timedelta(days=1)
    return trusted.issue(_HERE, begin=datetime.fromtimestamp(real_time(), UTC) - ended_yesterday)


_ROWS: Final = (
    (
        "unknown-authority",
        "Nothing is sent to a server whose certificate no trusted authority has signed.",
        "of an unknown authority",
        _unknown_authority,
    ),
    (
        "other-host",
        "Nothing is sent to a server whose certificate is for another host.",
        f"for {_ELSEWHERE[0]}",
        _other_host,
    ),
    (
        "expired-certificate",
        "Nothing is sent to a server whose certificate has expired.",
        "that has expired",
        _expired,
    ),
)
"""Slug, requirement, what is wrong with the certificate, the certificate."""


def _declare(
    slug: str, requirement: str, wrong: str, issue: Callable[[CertificateAuthority], bytes]
) -> None:
    @TABLE.judged(f"rfc9110/4.3.4/{slug}", requirement, section=_SECTIONS)
    def refuses(trial: Trial) -> Iterator[Problem]:
        trusted = CertificateAuthority.kept_in(trial.directory)
        with impostor(issue(trusted), directory=trial.directory) as server:
            given = {**trial.subscription, "endpoint": f"{server.origin}/push/{slug}"}
            push = trial.attempt(Ask(), subscription=given)
        if server.heads:
            yield trial.problem(
                f"the sender pushes to a server that shows a certificate {wrong}",
                expected="an error, and no request",
                actual=server.heads[0].partition("\r\n")[0],
                hint="Whoever is on the way reads the token and the subscription, and can drop or "
                "replace messages: do not switch off the verification of certificates. In tests, "
                "trust the authority of the service.",
            )
        elif push.result.ok:
            yield trial.problem(
                f"the sender reports success, though the server's certificate is one {wrong}",
                expected="an error",
                actual="success",
            )


for _row in _ROWS:
    _declare(*_row)
