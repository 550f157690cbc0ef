"""The demo and its push service as one server."""

from __future__ import annotations

from mockpush.server import Server
from mockpush.service import PushService
from mockpush.settings import Settings
from mockpush.vapid_keys import service_keys

from .application import Demo
from .subscriptions import Subscriptions


def new_server(settings: Settings, *, kept: str) -> Server:
    """Not yet started. Subscriptions are in the file `kept` of the data directory, if there is one.

    `ConfigurationError` for a setting that cannot be used.
    """
    service = PushService(settings.service_options())
    directory = settings.data_dir
    demo = Demo(
        service,
        identity=service_keys(vapid_key=settings.vapid_key, data_dir=directory),
        subscriptions=Subscriptions(None if directory is None else directory / kept),
        place=lambda: server,
        hosts=settings.hostnames,
    )
    server = Server(service, resources=demo.routes, **settings.server_options())
    return server
