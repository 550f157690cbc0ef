"""What the pytest fixtures stand on: the server of the session and the traffic of each test."""

from __future__ import annotations

import os
import re
import ssl
import tempfile
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from mockpush.client.control import Control
from mockpush.client.records import Request
from mockpush.client.transports.asgi import AsgiTransport
from mockpush.client.transports.base import Transport
from mockpush.client.transports.http import HttpTransport
from mockpush.client.user_agent import UserAgent
from mockpush.server import Server
from mockpush.service import PushService
from mockpush.settings import Settings, load_settings
from mockpush.trust import Trust, trusted
from mockpush.vapid_keys import VapidKeys, service_keys

_URL_VARIABLE: Final = "MOCKPUSH_URL"
_REMEMBERED: Final = 10_000
"""So many endpoints of ended tests are remembered, to name the test of a late push."""
_SHOWN: Final = 20


def settings() -> Settings:
    """The settings of a test session: any free ports unless somebody set some."""
    return load_settings(port=0, https_port=0)


def vapid_keys(chosen: Settings) -> VapidKeys:
    """The user's own pair if the environment or the settings name one, else a new one."""
    return VapidKeys.from_environment() or service_keys(
        vapid_key=chosen.vapid_key, data_dir=chosen.data_dir
    )


@dataclass(frozen=True, slots=True)
class Traffic:
    """The pushes of one test."""

    node: str
    control: Control

    def complaint(self) -> str:
        """Why the test fails although its own assertions held; empty if it does not."""
        refused = self.control.unnoticed_refusals()
        if not refused:
            return ""
        count = "a push was" if len(refused) == 1 else f"{len(refused)} pushes were"
        lines = "".join(f"  {request}\n" for request in refused[:_SHOWN])
        hints = dict.fromkeys(each.finding.hint for each in refused if each.finding is not None)
        return (
            f"{count} refused, and the test did not look at it:\n{lines}"
            + "".join(f"  → {hint}\n" for hint in hints)
            + "If the test wants that, read push_service.refused, use "
            "push_service.expect_refused(…), or mark it @pytest.mark.mockpush(allow_refused=True)."
        )

    def text(self) -> str:
        """The requests of the test, one a line."""
        requests = self.control.requests
        earlier = len(requests) - _SHOWN
        lines = [_line(request) for request in requests[-_SHOWN:]]
        return "\n".join([f"… {earlier} earlier", *lines] if earlier > 0 else lines)


def _line(request: Request) -> str:
    codes = ", ".join(request.codes)
    return f"{request.method} {request.target} → {request.status}{codes and f' ({codes})'}"


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
        self._own.begin()

    def begin(self, node: str, vapid: VapidKeys) -> Traffic:
        """A new tenant for a test."""
        control = Control(self._transport, tenant=_tenant_name(node), vapid=vapid)
        control.begin()
        return Traffic(node, control)

    def end(self, traffic: Traffic) -> None:
        """Deletes the tenant and remembers whose endpoints they were."""
        for subscription in traffic.control.subscriptions:
            self._nodes[_target(subscription.endpoint)] = traffic.node
            if len(self._nodes) > _REMEMBERED:
                self._nodes.popitem(last=False)
        traffic.control.delete_tenant()

    def user_agent(self, control: Control, vapid: VapidKeys) -> UserAgent:
        """An emulated browser whose subscriptions belong to the test."""
        return UserAgent(
            self._transport.fork(),
            tenant=control.tenant,
            application_server_key=vapid.public_key,
        )

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
def _started(chosen: Settings) -> Iterator[PushServer]:
    server = Server(PushService(chosen.service_options()), **chosen.server_options())
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
    with HttpTransport(url) as transport, tempfile.TemporaryDirectory() as directory:
        control = Control(transport)
        about = control.about()
        ca_file = Path(directory, "ca.pem")
        ca_file.write_text(control.ca_pem())
        trust = Trust(ca_file.read_bytes(), Path(directory), hosts=tuple(about["hosts"]))
        environ = trust.environ()
        with trusted(environ, ca_pem=trust.ca_pem):
            yield PushServer(
                transport,
                url=url,
                https_url=about["https"],
                ca_file=str(ca_file),
                environ=environ,
                ssl_context=trust.ssl_context(),
            )
