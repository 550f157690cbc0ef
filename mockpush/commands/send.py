"""`mockpush subscribe` and `mockpush send`: both ends of a push by hand."""

from __future__ import annotations

import json
import ssl
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import click

from mockpush.commands.options import json_option, option, with_control
from mockpush.commands.output import finding_lines, print_json, printable
from mockpush.errors import ConfigurationError, ConnectError, KeyFormatError, NotFoundError
from mockpush.settings import Project, load_settings

if TYPE_CHECKING:
    from mockpush.client.control import Control
    from mockpush.client.transports.base import Response
    from mockpush.vapid_keys import VapidKeys

LIFETIME: Final = 12 * 60 * 60
"""Seconds until a token expires; 24 hours are the most (RFC 8292, Section 2)."""
_URGENCIES: Final = ("very-low", "low", "normal", "high")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@click.command()
@with_control
@option("--profile", metavar="NAME", help="The push service to imitate, if not the service's own.")
@option(
    "--application-server-key",
    envvar=["MOCKPUSH_SUBSCRIBE_APPLICATION_SERVER_KEY", "VAPID_PUBLIC_KEY"],
    metavar="K",
    help="The public VAPID key to which the subscription is restricted.",
)
@json_option
def subscribe(
    control: Control, *, profile: str | None, application_server_key: str | None, as_json: bool
) -> None:
    """Make a subscription and print it as JSON, in the shape that browsers give it.

    The service holds its private key and shows what is sent to it.

    \b
    Example:
        mockpush subscribe > subscription.json
        mockpush send subscription.json "Hello"
    """
    made = control.subscribe(profile=profile, application_server_key=application_server_key)
    document = {"id": made.id, **made}
    if as_json:
        print_json(document)
    else:
        click.echo(json.dumps(document, indent=2))


@click.command()
@with_control
@click.argument("subscription", metavar="SUBSCRIPTION|ID")
@click.argument("data", required=False)
@option(
    "--ttl", type=int, default=60, metavar="S", help="Seconds to keep it for an absent browser."
)
@option("--urgency", type=click.Choice(_URGENCIES), help="How important it is.")
@option("--topic", metavar="T", help="Replaces a pending message of the same topic.")
@option(
    "--vapid-key",
    envvar="MOCKPUSH_VAPID_KEY",
    metavar="FILE",
    help="The private key to sign with; else that of VAPID_PRIVATE_KEY, else a new one.",
)
@json_option
def send(
    control: Control,
    *,
    subscription: str,
    data: str | None,
    ttl: int,
    urgency: str | None,
    topic: str | None,
    vapid_key: str | None,
    as_json: bool,
) -> None:
    """Send a push message, encrypted and signed as it should be.

    The subscription is given as JSON, by the name of a file with the JSON, or by its id at the
    service. DATA is read from standard input if it is not given; none at all sends a push without
    a payload. Exits with 1 if the push service refuses it.

    \b
    Example:
        mockpush send subscription.json "Hello" --ttl 600 --topic greeting
    """
    target = Target.read(_document(subscription, control))
    fields = {"TTL": str(ttl), "Urgency": urgency, "Topic": topic}
    body = target.encrypt(_payload(data))
    if body:
        fields |= {"Content-Type": "application/octet-stream", "Content-Encoding": "aes128gcm"}
    fields["Authorization"] = target.authorization(_signing_keys(vapid_key))
    given = [(name, value) for name, value in fields.items() if value is not None]
    with _way_to(target.endpoint, control):
        response = target.post(given, body, _trusting(control))
    if as_json:
        print_json(_as_json(response))
    else:
        for line in _lines(response):
            click.echo(line)
    if response.status >= 400:
        click.get_current_context().exit(1)


@dataclass(frozen=True, slots=True)
class Target:
    """A subscription as a sender sees it: where to push, and for whom to encrypt."""

    endpoint: str
    keys: Mapping[str, str]

    @classmethod
    def read(cls, document: object) -> Target:
        """A subscription in the shape of the W3C; `ConfigurationError` for anything else."""
        if not isinstance(document, dict) or not isinstance(document.get("endpoint"), str):
            raise ConfigurationError("the subscription must be a JSON object with an endpoint")
        parts = urlsplit(document["endpoint"])
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise ConfigurationError(f"{document['endpoint']!r} is not the URL of an endpoint")
        keys = document.get("keys")
        return cls(document["endpoint"], keys if isinstance(keys, dict) else {})

    def encrypt(self, data: bytes) -> bytes:
        """The body of the push; empty without data."""
        if not data:
            return b""
        from mockpush.protocol.encryption import DEFAULT_RECORD_SIZE, OVERHEAD, encrypt

        rs = max(DEFAULT_RECORD_SIZE, len(data) + OVERHEAD)
        return encrypt(data, p256dh=self._key("p256dh"), auth=self._key("auth"), rs=rs)

    def _key(self, name: str) -> bytes:
        from mockpush.protocol.keys import decode_any_base64

        try:
            return decode_any_base64(self.keys[name].encode())
        except (KeyError, AttributeError, ValueError):
            found = self.keys.get(name)
            raise KeyFormatError(
                f"keys.{name} of the subscription must be base64url, not {found!r}"
            ) from None

    def authorization(self, keys: VapidKeys) -> str:
        """The Authorization field, for the origin of the endpoint."""
        from mockpush.protocol.vapid import authorization

        parts = urlsplit(self.endpoint)
        host = parts.netloc.rpartition("@")[2].lower()
        audience = f"{parts.scheme}://{host.removesuffix(f':{_DEFAULT_PORTS[parts.scheme]}')}"
        expires = int(time.time()) + LIFETIME
        return authorization(keys.claims(aud=audience, exp=expires), keys.scalar)

    def post(self, fields: list[tuple[str, str]], body: bytes, context: ssl.SSLContext) -> Response:
        """Sends it."""
        from mockpush.client.transports.http import HttpTransport

        parts = urlsplit(self.endpoint)
        path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        secure = context if parts.scheme == "https" else None
        with HttpTransport(self.endpoint, ssl_context=secure) as transport:
            return transport.request("POST", path, headers=fields, body=body)


def _document(text: str, control: Control) -> object:
    """The subscription that was meant, as JSON."""
    file = Path(text)
    with suppress(OSError):  # JSON can be longer than a file name may be
        if not text.lstrip().startswith("{") and not file.is_file():
            return control.subscription(text)
    try:
        return json.loads(text if text.lstrip().startswith("{") else file.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the subscription cannot be read: {error}") from error


def _payload(data: str | None) -> bytes:
    if data is not None:
        return data.encode()
    return b"" if sys.stdin.isatty() else sys.stdin.buffer.read()


def _signing_keys(file: str | None) -> VapidKeys:
    from mockpush.vapid_keys import VapidKeys, service_keys

    project = click.get_current_context().find_object(Project)
    chosen = load_settings({"vapid_key": file}, project=project)
    own = None if chosen.vapid_key else VapidKeys.from_environment()
    return own or service_keys(vapid_key=chosen.vapid_key, data_dir=chosen.data_dir)


def _way_to(endpoint: str, control: Control) -> AbstractContextManager[None]:
    """To the service itself, if the endpoint is one of its under the host of a vendor."""
    from mockpush.origins import is_one_of
    from mockpush.vendor_hosts import answered_at

    with suppress(ConnectError, NotFoundError):
        about = control.about()
        hosts = list(chain.from_iterable(about["vendor_hosts"].values()))
        if is_one_of(urlsplit(endpoint).hostname or "", hosts):
            control.subscription_id(endpoint)
            return answered_at(about["https"], hosts)
    return nullcontext()


def _trusting(control: Control) -> ssl.SSLContext:
    """A context that trusts what is trusted anyway, and the service."""
    context = ssl.create_default_context()
    with suppress(ConnectError):  # then the subscription is one of another push service
        context.load_verify_locations(cadata=control.ca_pem())
    return context


def _problem(response: Response) -> Any:
    """The answer's body: as JSON if it is that, else as text."""
    try:
        return json.loads(response.body)
    except ValueError:
        return response.body.decode(errors="replace")


def _as_json(response: Response) -> dict[str, Any]:
    return {
        "status": response.status,
        "headers": [list(line) for line in response.headers.lines],
        "body": _problem(response) if response.body else None,
    }


def _lines(response: Response) -> Iterator[str]:
    if response.status < 400:
        yield f"{response.status} accepted: {response.headers.get('Location', 'no Location')}"
        return
    yield click.style(f"{response.status} refused", fg="red")
    problem = _problem(response)
    if isinstance(problem, dict) and "findings" in problem:
        for finding in problem["findings"]:
            yield from finding_lines(finding, indent=4)
    elif response.body:
        yield printable(response.body.decode(errors="replace"), limit=1000)
