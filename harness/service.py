"""The service that cases run against: one of the judge's own, on free ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mockpush.client.api import ROOT
from mockpush.client.control import Control
from mockpush.client.transports.http import HttpTransport
from mockpush.server import Server
from mockpush.service import PushService
from mockpush.settings import Settings

if TYPE_CHECKING:
    from mockpush.client.transports.base import Transport
    from mockpush.vapid_keys import VapidKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A running service: how the judge reaches it, and what senders are told of it.

    `control_url` is the root of its control API, `environ` the variables that make programs trust
    it.
    """

    transport: Transport
    control_url: str
    ca_file: str
    environ: Mapping[str, str]

    def tenant(self, name: str, *, vapid: VapidKeys) -> Control:
        """A tenant; subscriptions in it are restricted to the key."""
        return Control(self.transport, tenant=name, vapid=vapid)


@contextmanager
def running_service(*, profile: str, required: Sequence[str] = ()) -> Iterator[Service]:
    """A service with the default settings but for the profile; it ends with the context.

    `InvalidRequestError` if it does not have the profiles that are `required`.

    What is set in the environment or the project does not count, so that verdicts depend on the
    sender alone.
    """
    settings = Settings(port=0, https_port=0, profile=profile)
    server = Server(PushService(settings.service_options()), **settings.server_options())
    with server.running(), HttpTransport(server.url) as transport:
        Control(transport).check_profiles(required)
        yield Service(
            transport=transport,
            control_url=f"{server.url}{ROOT}",
            ca_file=server.ca_file,
            environ=server.environ,
        )
