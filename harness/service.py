"""The service that cases run against: one of the judge's own, on free ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from mockpush.client.api import ROOT
from mockpush.client.control import Control
from mockpush.client.transports.http import HttpTransport
from mockpush.server import Server
from mockpush.service import PushService
from mockpush.settings import Settings

if TYPE_CHECKING:
    from mockpush.client.transports.base import Transport
    from mockpush.vapid_keys import VapidKeys


ORIGINS: Final = 5
"""How many push services a fan-out goes to: those of the browsers, and one to spare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A running service: how the judge reaches it, and what senders are told of it.

    `origins` are five that it serves over TLS, `control_url` is the root of its control API.
    `environ` has the variables that make programs trust it, and inside `trusted()` this process
    does. `directory` holds its certificate authority.
    """

    transport: Transport
    origins: tuple[str, ...]
    control_url: str
    ca_file: str
    environ: Mapping[str, str]
    trusted: Callable[[], AbstractContextManager[None]]
    directory: Path

    def tenant(self, name: str, *, vapid: VapidKeys) -> Control:
        """A tenant; subscriptions in it are restricted to the key."""
        return Control(self.transport, tenant=name, vapid=vapid)


@contextmanager
def running_service(
    *,
    profile: str,
    variants: Sequence[str] = (),
    profile_file: Path | None = None,
    required: Sequence[str] = (),
) -> Iterator[Service]:
    """A service with the default settings but for these; it ends with the context.

    `InvalidRequestError` if it does not have the profiles that are `required`.

    What is set in the environment or the project does not count, so that verdicts depend on the
    sender alone.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="mockpush-check-")))
        settings = Settings(
            port=0,
            https_port=0,
            profile=profile,
            variants=tuple(variants),
            profile_file=profile_file,
            data_dir=directory,
        )
        service = PushService(settings.service_options())
        server = Server(service, **settings.server_options(), further_https=2)
        stack.enter_context(server.running())
        transport = stack.enter_context(HttpTransport(server.url))
        Control(transport).check_profiles(required)
        yield Service(
            transport=transport,
            origins=_origins(server),
            control_url=f"{server.url}{ROOT}",
            ca_file=server.ca_file,
            environ=server.environ,
            trusted=server.trusted,
            directory=directory,
        )


def _origins(server: Server) -> tuple[str, ...]:
    """As many push services: hosts that need no DNS, each on several ports."""
    ports = (urlsplit(server.https_url).port, *server.further_https_ports)
    names = (f"https://{host}:{port}" for port in ports for host in ("localhost", "127.0.0.1"))
    return tuple(names)[:ORIGINS]
