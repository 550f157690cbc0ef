"""What the pytest fixtures stand on: the server of the session and the traffic of each test."""

from __future__ import annotations

import os
import re
import ssl
import tempfile
import uuid
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast
from urllib.parse import urlsplit

import pytest

from mockpush import errors
from mockpush.client.api import ROOT
from mockpush.client.control import Control
from mockpush.client.explaining import stray
from mockpush.client.portability import report
from mockpush.client.records import Request
from mockpush.client.transports.asgi import AsgiTransport
from mockpush.client.transports.base import Transport
from mockpush.client.transports.http import HttpTransport
from mockpush.client.user_agent import UserAgent
from mockpush.protocol.portability import Tally
from mockpush.server import Server
from mockpush.service import PushService
from mockpush.settings import Settings, load_settings
from mockpush.trust import Trust, proxied, trusted
from mockpush.vapid_keys import CONTACT, VapidKeys, service_keys

_URL_VARIABLE: Final = "MOCKPUSH_URL"
_CA_VARIABLE: Final = "MOCKPUSH_CA_FILE"
_REMEMBERED: Final = 10_000
"""So many endpoints of ended tests are remembered, to name the test of a late push."""
_SHOWN: Final = 20


def settings() -> Settings:
    """The settings of a test session: any free ports unless somebody set some."""
    return load_settings(port=0, https_port=0)


def vapid_keys(chosen: Settings) -> VapidKeys:
    """The user's own pair if the environment or the settings name one, else a new one."""
    keys = VapidKeys.from_environment() or service_keys(
        vapid_key=chosen.vapid_key, data_dir=chosen.data_dir
    )
    return replace(keys, subject=os.environ.get(CONTACT) or keys.subject)


def required(given: Iterable[object], chosen: Settings) -> tuple[str, ...]:
    """The push services that must take every push: the first that is given, else as it is set.

    `given` are names in a list or in a text with commas; None says nothing.
    """
    first = next((each for each in given if each is not None), chosen.require)
    names = [first] if isinstance(first, str) else list(cast("Iterable[str]", first))
    parts = (part.strip() for name in names for part in name.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


@contextmanager
def plain_errors() -> Iterator[None]:
    """Lets fixtures fail with the way out alone, not with the way through our code."""
    try:
        yield
    except (errors.ConfigurationError, errors.ConnectError) as error:
        text = f"mockpush: {error}"
    else:
        return
    pytest.fail(text, pytrace=False)


class Traffic:
    """The pushes of one test. Once it is `judged`, no push fails it any more.

    `required` are the push services that must take every push.
    """

    def __init__(self, node: str, control: Control, required: Sequence[str]) -> None:
        self.node = node
        self.control = control
        self.required = required
        self.judged = False
        self._portability = Tally()
        self._cursor: str | None = None
        self._count = 0
        self._lines: deque[str] = deque(maxlen=_SHOWN)
        self._refused: list[Request] = []
        self._closed = False

    def complaint(self, *, allow_refused: bool) -> str:
        """Why the test fails although its own assertions held; empty if it does not."""
        self._read_on()
        about = ("" if allow_refused else self._refusals(), self._objections())
        return "\n\n".join(filter(None, about))

    def _objections(self) -> str:
        found = self._portability.as_json()
        if not found["refused"]:
            return ""
        return (
            f"{report(found)}\n"
            f"Every push must suit {', '.join(self.required)}. If the test pushes this on purpose, "
            "mark it @pytest.mark.mockpush(require=()), or name there those that it must suit."
        )

    def _refusals(self) -> str:
        refused = self.control.unnoticed_refusals(self._refused)
        if not refused:
            return ""
        count = "a push was" if len(refused) == 1 else f"{len(refused)} pushes were"
        lines = "".join(f"  {request}\n" for request in refused[:_SHOWN])
        more = f"  and {len(refused) - _SHOWN} more\n" if len(refused) > _SHOWN else ""
        causes = (each.explanation or each.finding for each in refused)
        hints = dict.fromkeys(cause.hint for cause in causes if cause is not None)
        return (
            f"{count} refused, and the test did not look at it:\n{lines}{more}"
            + "".join(f"  → {hint}\n" for hint in hints)
            + "If the test wants that, read push_service.refused, use "
            "push_service.expect_refused(…), or mark it @pytest.mark.mockpush(allow_refused=True)."
        )

    def text(self) -> str:
        """The newest requests of the test, one a line, and what reached no subscription."""
        try:
            self._read_on()
            strays = [] if self._closed else self.control.strays()[-_SHOWN:]
        except errors.MockpushError as error:
            return f"the traffic cannot be read: {error}"
        earlier = self._count - len(self._lines)
        return "\n".join(
            [
                *([f"… {earlier} earlier"] if earlier else []),
                *self._lines,
                *(f"for no subscription: {stray(entry)}" for entry in strays),
            ]
        )

    def close(self) -> None:
        """Reads what has come so far; the tenant can be deleted."""
        self._read_on()
        self._closed = True

    def _read_on(self) -> None:
        if self._closed:
            return
        requests, self._cursor = self.control.read_on(self._cursor)
        self._count += len(requests)
        self._lines.extend(map(_line, requests))
        for request in requests:
            if not request.senders_fault:
                self._portability.add(request.objections, self.required)
        self._refused += [request for request in requests if request.refused]


def _line(request: Request) -> str:
    """A request, and what all push services say if one of them objects to it."""
    codes = "" if request.refused else ", ".join(request.codes)
    said = f"{request}{codes and f' ({codes})'}"
    line = f"{request.method} {request.target} → {said}"
    return f"{line}  {request.matrix}" if request.objections else line


class PushServer:
    """The service of the session, in this process or elsewhere.

    `url` and `https_url` are its origins, `ca_file` is its authority's certificate, `environ` are
    the variables that make programs trust it and find it, `ssl_context` is for clients.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        url: str,
        https_url: str,
        ca_file: str,
        environ: Mapping[str, str],
        ssl_context: ssl.SSLContext,
    ) -> None:
        self.url = url
        self.https_url = https_url
        self.ca_file = ca_file
        self.environ = environ
        self.ssl_context = ssl_context
        self._transport = transport
        self._nodes: OrderedDict[str, str] = OrderedDict()
        self._own = Control(transport)
        self._strays = self._own.begin()
        self._checked: set[str] = set()
        self._judges = bool(self._own.requirement)

    def begin(self, node: str, vapid: VapidKeys, *, required: Sequence[str] = ()) -> Traffic:
        """A new tenant for a test; `ConfigurationError` if there is no such profile as required."""
        self._check(required)
        control = Control(self._transport, tenant=_tenant_name(node), vapid=vapid)
        self._strays = control.begin(after=self._strays)
        if self._judges:
            control.require()  # the test is judged here, where markers are known
        return Traffic(node, control, required)

    def _check(self, names: Sequence[str]) -> None:
        if self._checked.issuperset(names):
            return
        try:
            self._own.check_profiles(names)
        except errors.InvalidRequestError as error:
            raise errors.ConfigurationError(str(error)) from None
        self._checked.update(names)

    def end(self, traffic: Traffic) -> None:
        """Deletes the tenant and remembers whose endpoints they were."""
        for subscription in traffic.control.subscriptions:
            self._nodes[_target(subscription.endpoint)] = traffic.node
            if len(self._nodes) > _REMEMBERED:
                self._nodes.popitem(last=False)
        traffic.close()
        traffic.control.forget_user_agents()
        with suppress(errors.NotFoundError):  # a test may have deleted it, or never used it
            traffic.control.delete_tenant()

    def user_agent(self, control: Control, vapid: VapidKeys) -> UserAgent:
        """An emulated browser whose subscriptions belong to the test."""
        return UserAgent(
            self._transport, tenant=control.tenant, application_server_key=vapid.public_key
        )

    @property
    def vendor_hosts(self) -> dict[str, tuple[str, ...]]:
        """The hosts of the vendors by profile; what begins with `*.` is a pattern."""
        hosts = self._own.about()["vendor_hosts"]
        return {name: tuple(patterns) for name, patterns in hosts.items()}

    def late_pushes(self) -> list[str]:
        """One line for each push that came after the end of its test."""
        return [
            f"{self._nodes[request['target']]}: {request['method']} {request['target']}"
            for entry in self._own.strays()
            if (request := entry.get("request")) and request["target"] in self._nodes
        ]


def _tenant_name(node: str) -> str:
    """Readable, and no other test's, also when several sessions share one service."""
    return f"{re.sub(r'[^A-Za-z0-9._:-]+', '_', node)[-90:]}-{uuid.uuid4().hex[:8]}"


def _target(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


@contextmanager
def running(chosen: Settings, *, url: str | None) -> Iterator[PushServer]:
    """The service at `url` (or in `MOCKPUSH_URL`), else one in this process; trusted meanwhile."""
    url = url or os.environ.get(_URL_VARIABLE)
    with _attached(url) if url else _started(chosen) as server:
        yield server


@contextmanager
def vendor_hosts(server: PushServer) -> Iterator[Mapping[str, tuple[str, ...]]]:
    """The hosts of the vendors, by profile, are answered by `server` inside the block."""
    from mockpush.vendor_hosts import answered_at

    hosts = server.vendor_hosts
    with answered_at(server.https_url, chain.from_iterable(hosts.values())):
        yield MappingProxyType(hosts)


@contextmanager
def _started(chosen: Settings) -> Iterator[PushServer]:
    # What is required is judged here, test by test.
    server = Server(
        PushService(replace(chosen, require=()).service_options()), **chosen.server_options()
    )
    with (
        server.running(),
        server.trusted(),
        AsgiTransport(server.app, server.submit, url=server.url) as transport,
    ):
        yield PushServer(
            transport,
            url=server.url,
            https_url=server.https_url,
            ca_file=server.ca_file,
            environ=server.environ,
            ssl_context=server.ssl_context,
        )


@contextmanager
def _attached(url: str) -> Iterator[PushServer]:
    context = _context_for(url)
    with HttpTransport(url, ssl_context=context) as transport, _directory() as directory:
        control = Control(transport)
        about = _about(control)
        ca_file = directory / "ca.pem"
        ca_file.write_text(control.ca_pem(), encoding="ascii")
        hosts = tuple(host.strip("[]") for host in about["hosts"])
        trust = Trust(ca_file.read_bytes(), directory, hosts)
        environ = trust.environ()
        with trusted(environ, ca_pem=trust.ca_pem):
            yield PushServer(
                transport,
                url=transport.url,
                https_url=about["https"],
                ca_file=str(ca_file),
                environ={
                    _URL_VARIABLE: transport.url,
                    "MOCKPUSH_HTTPS_URL": about["https"],
                    "MOCKPUSH_CONTROL_URL": transport.url + ROOT,
                    _CA_VARIABLE: str(ca_file),
                    **environ,
                    **proxied(about["proxy"]),
                },
                ssl_context=trust.ssl_context(),
            )


def _about(control: Control) -> dict[str, Any]:
    url = control.transport.url
    try:
        return control.about()
    except errors.ServiceError as error:
        raise errors.ConfigurationError(
            f"{url} is not a mockpush service ({error}): give the URL that `mockpush serve` prints"
        ) from error
    except errors.ConnectError as error:
        if not isinstance(error.__cause__, ssl.SSLCertVerificationError):
            raise
        raise errors.ConfigurationError(
            f"{url} has a certificate that is not trusted ({error.__cause__}): set {_CA_VARIABLE} "
            "to the file that `mockpush serve` names, or give the http URL"
        ) from error


@contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mockpush-") as name:
        yield Path(name)


def _context_for(url: str) -> ssl.SSLContext | None:
    """Trusts, besides the user's roots, the authority that `mockpush env` and `exec` name."""
    if not url.startswith("https:"):
        return None
    context = ssl.create_default_context()
    ca_file = os.environ.get(_CA_VARIABLE)
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:  # no file, or none with certificates
            raise errors.ConfigurationError(
                f"{_CA_VARIABLE} must name a file of certificates (PEM), not {ca_file!r}: {error}"
            ) from error
    return context
