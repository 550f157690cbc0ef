"""`mockpush vapid`: keys in every form, and tokens explained."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mockpush.commands.options import at_option, json_option, option
from mockpush.commands.output import count, finding_lines, print_json
from mockpush.commands.tokens import token_lines
from mockpush.errors import CaptureError, ConfigurationError, KeyFormatError

if TYPE_CHECKING:
    from mockpush.protocol.findings import Finding
    from mockpush.protocol.vapid import Vapid
    from mockpush.vapid_keys import VapidKeys

_FIELD: Final = "authorization:"
_UNCHECKED: Final = "not checked: give the public key with --public-key"
_TITLES: Final = {
    "public_key": "Public key (applicationServerKey), base64url",
    "private_key": "Private key, base64url",
    "private_key_pem": "Private key, PEM (PKCS #8)",
    "private_key_sec1_pem": "Private key, PEM (SEC 1)",
    "private_key_der": "Private key, DER (PKCS #8) in base64",
    "public_key_pem": "Public key, PEM (SPKI)",
    "jwk": "Both, JSON Web Key",
}


@click.group()
def vapid() -> None:
    """Make VAPID keys, explain VAPID tokens (RFC 8292); no service is needed.

    \b
    Example:
        mockpush vapid keys -o vapid.pem
    """


@vapid.command()
@option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep the private key in a new file (PEM), and print the public one only.",
)
@option(
    "--source",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Print this key (PEM, DER, JWK or base64url) instead of a new one.",
)
@json_option
def keys(output: Path | None, source: Path | None, *, as_json: bool) -> None:
    """Print a key pair in every form that senders want: base64url, PEM, DER, JWK.

    \b
    Example:
        mockpush vapid keys -o vapid.pem
        mockpush serve --vapid-key vapid.pem
    """
    from mockpush.vapid_keys import VapidKeys

    pair = VapidKeys.generate() if source is None else VapidKeys.read(source)
    forms = pair.formats() if output is None else _kept(pair, output)
    if as_json:
        print_json(forms)
        return
    for name, value in forms.items():
        text = value if isinstance(value, str) else json.dumps(value)
        click.echo(f"{click.style(_TITLES.get(name, name), bold=True)}\n{text.strip()}\n")


def _kept(pair: VapidKeys, file: Path) -> dict[str, Any]:
    if not pair.save(file):
        raise ConfigurationError(f"{file} exists, and keys are never replaced: take another name")
    return {"public_key": pair.public_key, "file": str(file)}


@vapid.command()
@click.argument("token")
@option("--endpoint", metavar="URL", help="The endpoint pushed to, whose origin aud must be.")
@at_option(help="When it was sent, if not now.")
@option(
    "--public-key",
    metavar="K",
    help="The subscription's applicationServerKey; also the k of a token that comes without one.",
)
@json_option
def inspect(
    token: str, endpoint: str | None, at: float | None, public_key: str | None, *, as_json: bool
) -> None:
    """Explain a token: what it claims, whether its signature holds, all that is wrong with it.

    TOKEN is a JWT or a whole Authorization field, or - to read it from standard input. Exits with 1
    if it breaks a MUST.

    \b
    Example:
        mockpush vapid inspect "vapid t=eyJ…, k=BN4…" --endpoint https://fcm.googleapis.com/fcm/send/x
    """
    from mockpush.protocol.vapid import check_vapid

    now = time.time() if at is None else at
    vapid, findings = _read(sys.stdin.read() if token == "-" else token, public_key)  # noqa: S105
    check_vapid(
        vapid,
        findings,
        origins=_origins(endpoint, vapid),
        now=now,
        application_server_key=_point(public_key),
    )
    if as_json:
        print_json(_as_json(vapid, findings))
    else:
        for line in _lines(vapid, findings, now=now, endpoint=endpoint):
            click.echo(line)
    if any(finding.level == "must" for finding in findings):
        click.get_current_context().exit(1)


def _read(text: str, key: str | None) -> tuple[Vapid, list[Finding]]:
    """A token in whatever form it was copied; a key that was not copied is not held against it."""
    from mockpush.protocol.headers import NO_PARAMETERS, DraftParameters
    from mockpush.protocol.vapid import read_vapid

    field = text.strip()
    if field.lower().startswith(_FIELD):
        field = field[len(_FIELD) :].strip()
    if field.startswith("t="):
        field = f"vapid {field}"
    parameters = NO_PARAMETERS
    if " " not in field:
        field = f"vapid t={field}" + (f", k={key}" if key else "")
        elsewhere = "vapid.key.missing"
    else:
        elsewhere = "vapid.p256ecdsa.missing"
        if key:
            parameters = DraftParameters(p256ecdsa=key.encode(), has_crypto_key=True)
    findings: list[Finding] = []
    vapid = read_vapid([field.encode()], parameters, findings)
    return vapid, [finding for finding in findings if finding.code != elsewhere]


def _origins(endpoint: str | None, vapid: Vapid) -> tuple[str, ...]:
    """The origin of the endpoint; without one whatever the token says passes for it."""
    from mockpush.protocol.captures import origin_of

    if endpoint is None:
        audience = vapid.claims.get("aud")
        return (audience,) if isinstance(audience, str) else ()
    try:
        return (origin_of(endpoint),)
    except CaptureError:
        raise ConfigurationError(f"--endpoint must be a URL, not {endpoint!r}") from None


def _point(public_key: str | None) -> bytes | None:
    from mockpush.protocol.keys import parse_application_server_key

    try:
        return None if public_key is None else parse_application_server_key(public_key)
    except KeyFormatError as error:
        raise ConfigurationError(f"--public-key: {error}") from error


def _as_json(vapid: Vapid, findings: list[Finding]) -> dict[str, Any]:
    from mockpush.http.inspection import VAPID
    from mockpush.http.shapes import show

    return {**show(VAPID, vapid), "findings": [finding.as_json() for finding in findings]}


def _lines(
    vapid: Vapid, findings: list[Finding], *, now: float, endpoint: str | None
) -> Iterator[str]:
    yield from token_lines(vapid, now=now, unchecked=_UNCHECKED)
    if endpoint is None:
        yield "aud was compared with nothing: say where the push went with --endpoint"
    yield count(len(findings), "finding")
    for finding in findings:
        yield from finding_lines(finding.as_json(), indent=4)
