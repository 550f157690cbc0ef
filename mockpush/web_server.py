"""An ASGI application on a plain port and a TLS port, and trust for its certificate."""

from __future__ import annotations

import asyncio
import atexit
import inspect
import os
import shutil
import socket
import ssl
import tempfile
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from mockpush.asgi import GRACE, LOGGER, Application, ASGIApp
from mockpush.connections import HTTPImplementation
from mockpush.event_loop import LoopFactory, LoopThread, new_event_loop, stop_signals
from mockpush.listeners import Acceptor, Foreign, bind
from mockpush.origins import Address
from mockpush.real_clock import real_time
from mockpush.trust import Trust, proxied, trusted

T = TypeVar("T")
Hook = Callable[[], Awaitable[object] | None]
AcceptorOf = Callable[..., Acceptor]
"""Makes the acceptor of a socket, given what all of them need."""

CONTROL_PATH: Final = "/_mockpush/v1"


def _ignore(*_: object) -> None:
    """The hook of those who have none."""


@dataclass(frozen=True)
class _Running:
    """What there is to know between start and stop."""

    address: Address
    trust: Trust
    ca_file: Path
    chain: bytes

    @cached_property
    def environ(self) -> dict[str, str]:
        return {
            "MOCKPUSH_URL": self.address.url,
            "MOCKPUSH_HTTPS_URL": self.address.https_url,
            "MOCKPUSH_CONTROL_URL": self.address.url + CONTROL_PATH,
            "MOCKPUSH_CA_FILE": str(self.ca_file),
            **self.trust_environ,
            **proxied(self.address.proxy_url),
        }

    @cached_property
    def trust_environ(self) -> dict[str, str]:
        return self.trust.environ()

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        return self.trust.ssl_context()

    @cached_property
    def pin(self) -> str:
        from mockpush.tls import pin_of

        return pin_of(self.chain)


class WebServer:
    """Serves the ASGI application `app` over HTTP and HTTPS (port 0: any free one).

    `hostnames` join localhost in the certificate and in the origins, `certified` only in the
    certificate. With a `proxy_port`, a CONNECT proxy answers for the certified hosts, and lets
    through to those that match a glob of `proxy_allow`. `further_https` is how many more TLS ports
    it listens on, any free ones. With `data_dir` the certificate authority outlives the server.
    Called on the server's event loop are `on_bound(origins)`, before the first connection is
    accepted; each of `on_stop`, before the first is closed, to end what would not end by itself;
    and `on_foreign(what, at, detail)` for each connection that is no request, `at` in real time.
    Every way to start raises `ConfigurationError` if a setting cannot be used.

    It runs in `async with server`, in `await server.serve()` until SIGTERM or SIGINT, or in
    `with server.running()` on a thread of its own.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        https_port: int = 0,
        proxy_port: int | None = None,
        proxy_allow: Sequence[str] = (),
        hostnames: Sequence[str] = (),
        certified: Sequence[str] = (),
        data_dir: str | os.PathLike[str] | None = None,
        further_https: int = 0,
        http: HTTPImplementation = "auto",
        on_bound: Callable[[tuple[str, ...]], Awaitable[object] | None] = _ignore,
        on_stop: Sequence[Hook] = (),
        on_foreign: Callable[[Foreign, float, Mapping[str, str]], None] = _ignore,
    ) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._https_port = https_port
        self._proxy_port = proxy_port
        self._proxy_allow = tuple(proxy_allow)
        self._hostnames = tuple(hostnames)
        self._certified = tuple(certified)
        self._data_dir = None if data_dir is None else Path(data_dir)
        self._further_https = further_https
        self._further_ports: tuple[int, ...] = ()
        self._http: HTTPImplementation = http
        self._on_bound = on_bound
        self._on_stop = tuple(on_stop)
        self._on_foreign = on_foreign
        self._running: _Running | None = None
        self._undo = AsyncExitStack()
        self._thread: LoopThread | None = None

    # Running in an event loop

    async def start(self) -> None:
        """Bind, tell `on_bound`, accept; returns when both ports answer."""
        if self._running is not None:
            raise RuntimeError("the server is running already")
        async with AsyncExitStack() as undo:
            plain = self._bind(undo, self._port, flag="--port")
            secure = self._bind(undo, self._https_port, flag="--https-port")
            further = [self._bind(undo, 0, flag="--https-port") for _ in range(self._further_https)]
            self._further_ports = tuple(map(_port_of, further))
            tunnels = self._bind_proxy(undo)
            ports = (_port_of(plain), _port_of(secure), self._hostnames, _port_of(tunnels))
            context = self._identify(undo, Address(self._host, *ports))
            await _call(self._on_bound, self.origins)
            accept: dict[socket.socket, AcceptorOf] = {
                **dict.fromkeys(plain, partial(Acceptor, context=None)),
                **dict.fromkeys(chain(secure, *further), partial(Acceptor, context=context)),
            }
            if tunnels:
                accept |= dict.fromkeys(tunnels, self._proxy(context))
            await self._open(undo, accept)
            undo.push_async_callback(self._call_on_stop)
            self._undo = undo.pop_all()

    async def stop(self) -> None:
        """End what is open, within 2 seconds; nothing is left when it returns."""
        undo, self._undo = self._undo, AsyncExitStack()
        await undo.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def serve(self, *, ready: Callable[[], object] = _ignore) -> None:
        """Start, call `ready`, stop at SIGTERM or SIGINT; in the main thread only."""
        with stop_signals() as asked:
            async with self:
                ready()
                await asked.wait()

    # Running on a thread

    def start_in_thread(self, *, loop_factory: LoopFactory = new_event_loop) -> None:
        """Start on a daemon thread of its own; returns when both ports answer."""
        with ExitStack() as undo:
            thread = LoopThread(name="mockpush", loop_factory=loop_factory)
            undo.callback(thread.stop)
            thread.submit(self.start()).result()
            undo.pop_all()
        self._thread = thread
        atexit.register(self.stop_thread)

    def stop_thread(self) -> None:
        """Stop; nothing is left when it returns. A forked child leaves the server alone."""
        thread, self._thread = self._thread, None
        if thread is None or thread.inherited:
            return
        atexit.unregister(self.stop_thread)
        try:
            thread.submit(self.stop()).result()
        finally:
            thread.stop()

    @contextmanager
    def running(self) -> Iterator[Self]:
        """`start_in_thread` and `stop_thread` around a block."""
        self.start_in_thread()
        try:
            yield self
        finally:
            self.stop_thread()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run `coroutine` on the loop of the server's thread; cancelled if the server stops."""
        if self._thread is None:
            coroutine.close()
            raise RuntimeError("the server does not run on a thread of its own")
        return self._thread.submit(coroutine)

    # What clients need to know

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return self._known.address.url

    @property
    def https_url(self) -> str:
        """`https://localhost:PORT`."""
        return self._known.address.https_url

    @property
    def proxy_url(self) -> str | None:
        """`http://127.0.0.1:PORT`, the proxy that answers for the certified hosts."""
        return self._known.address.proxy_url

    @property
    def origins(self) -> tuple[str, ...]:
        """All that it answers under: HTTPS before HTTP, localhost first."""
        return self._known.address.origins

    @property
    def further_https_ports(self) -> tuple[int, ...]:
        """The TLS ports besides that of `https_url`."""
        return self._further_ports

    @property
    def ca_file(self) -> str:
        """The certificate of the certificate authority (PEM)."""
        return str(self._known.ca_file)

    @property
    def ca_pem(self) -> bytes:
        """The same, its content."""
        return self._known.trust.ca_pem

    @property
    def pin(self) -> str:
        """The SHA-256 of the certificate's public key, in base64, as Chromium takes it."""
        return self._known.pin

    @property
    def environ(self) -> dict[str, str]:
        """Variables for a program that is to find this server (`MOCKPUSH_…`) and to trust it."""
        return dict(self._known.environ)

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """A context for clients that trusts this server, and what the user trusts."""
        return self._known.ssl_context

    @contextmanager
    def trusted(self) -> Iterator[None]:
        """Inside the block, this process and what it starts trust the server (`trust.trusted`)."""
        known = self._known
        with trusted(known.trust_environ, ca_pem=known.trust.ca_pem):
            yield

    @property
    def _known(self) -> _Running:
        if self._running is None:
            raise RuntimeError("the server is not running")
        return self._running

    # The steps of start and stop

    def _bind(self, undo: AsyncExitStack, port: int, *, flag: str) -> tuple[socket.socket, ...]:
        sockets = bind(self._host, port, flag=flag)
        for sock in sockets:
            undo.callback(sock.close)
        return sockets

    def _bind_proxy(self, undo: AsyncExitStack) -> tuple[socket.socket, ...]:
        if self._proxy_port is None:
            return ()
        return self._bind(undo, self._proxy_port, flag="--proxy-port")

    def _proxy(self, context: ssl.SSLContext) -> AcceptorOf:
        from mockpush.proxy import ProxyAcceptor, Routes, Target

        address = self._known.address
        own = {Target(name.lower(), address.https_port) for name in address.names}
        routes = Routes(self._certified, own, self._proxy_allow)
        return partial(ProxyAcceptor, context=context, routes=routes)

    def _identify(self, undo: AsyncExitStack, address: Address) -> ssl.SSLContext:
        """Make the certificate; from here on the server's address is known."""
        from mockpush.tls import CertificateAuthority, server_context

        private = self._private_directory(undo)
        if self._data_dir is None:
            authority, public = CertificateAuthority.create(), private
        else:
            authority, public = CertificateAuthority.kept_in(self._data_dir), self._data_dir
        names = dict.fromkeys((*address.names, *self._certified))
        chain = authority.issue(names)
        context = server_context(chain, directory=private)
        trust = Trust(authority.pem, private, address.names)
        self._running = _Running(address, trust, authority.publish(public), chain)
        undo.callback(self._forget)
        return context

    def _forget(self) -> None:
        self._running = None

    def _private_directory(self, undo: AsyncExitStack) -> Path:
        directory = tempfile.mkdtemp(prefix="mockpush-")
        undo.callback(weakref.finalize(self, _remove, directory, os.getpid()))
        return Path(directory)

    async def _open(self, undo: AsyncExitStack, accept: Mapping[socket.socket, AcceptorOf]) -> None:
        """Start the application and accept; `undo` does it from the last to the first."""
        application = Application(self._app, http=self._http, report=self._report)
        await application.start()
        acceptors = [
            acceptor(
                sock,
                protocol_factory=application.protocol,
                report=self._report,
                logger=LOGGER,
            )
            for sock, acceptor in accept.items()
        ]
        undo.push_async_callback(application.stop)
        undo.push_async_callback(application.drop)
        for acceptor in acceptors:
            undo.callback(acceptor.hang_up)
        undo.push_async_callback(application.finish)
        for acceptor in acceptors:
            acceptor.open()
            undo.push_async_callback(acceptor.close)

    async def _call_on_stop(self) -> None:
        for hook in self._on_stop:
            try:
                async with asyncio.timeout(GRACE):
                    await _call(hook)
            except TimeoutError:
                LOGGER.warning("%r has not ended after %s s; stopping without it", hook, GRACE)

    def _report(self, what: Foreign, detail: Mapping[str, str]) -> None:
        self._on_foreign(what, real_time(), detail)


def _port_of(sockets: Sequence[socket.socket]) -> int:
    """Theirs, or 0 if there are none."""
    port: int = sockets[0].getsockname()[1] if sockets else 0
    return port


async def _call(hook: Callable[..., Awaitable[object] | None], *arguments: object) -> None:
    outcome = hook(*arguments)
    if inspect.isawaitable(outcome):
        await outcome


def _remove(directory: str, owner: int) -> None:
    """Not in a forked child, which runs its parent's finalizers when it exits."""
    if os.getpid() == owner:
        shutil.rmtree(directory, ignore_errors=True)
