"""`mockpush exec`: a command with a push service of its own."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click

from mockpush.commands.options import connected, option, with_settings
from mockpush.commands.output import count, fault_text, finding_lines, matrix_line
from mockpush.commands.serve import new_server

if TYPE_CHECKING:
    from mockpush.client.control import Control
    from mockpush.client.records import Request
    from mockpush.settings import Settings

FAILED: Final = 1
"""The command succeeded, but not all of its pushes would have been taken."""
NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126
SIGNALLED: Final = 128
"""Exit codes as shells have them; the last one plus the number of the signal."""

_FORWARDED: Final = (signal.SIGINT, signal.SIGTERM)
_MOST: Final = 20
"""So many refused requests are shown."""
ADVICE: Final[Mapping[str, str]] = {
    "unknown_subscription": "the endpoint is none of this service: take MOCKPUSH_SUBSCRIPTION",
    "tls_on_plain_port": "for https take the origin in MOCKPUSH_HTTPS_URL",
    "plain_on_tls_port": "for http take the origin in MOCKPUSH_URL",
    "failed_handshake": "does the program trust the certificate in MOCKPUSH_CA_FILE?",
    "unused_connection": "it hung up: does it trust the certificate in MOCKPUSH_CA_FILE?",
    "refused_tunnel": "if that is right, start with --proxy-allow HOST",
}
"""What to do about entries of the server's own journal."""


@click.command(name="exec", context_settings={"allow_interspersed_args": False})
@with_settings(port=0, https_port=0)
@option(
    "--vendor-hosts",
    is_flag=True,
    envvar="MOCKPUSH_VENDOR_HOSTS",
    help="Answer for the vendors' own hosts, through a proxy that HTTPS_PROXY names.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND...")
def execute(settings: Settings, *, vendor_hosts: bool, command: tuple[str, ...]) -> None:
    """Run a command with a push service of its own, and exit with its exit code.

    The command finds the service in MOCKPUSH_URL, MOCKPUSH_HTTPS_URL, MOCKPUSH_CONTROL_URL and
    MOCKPUSH_CA_FILE, a subscription as JSON in MOCKPUSH_SUBSCRIPTION, and the pair to sign with in
    VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY and VAPID_SUBJECT, unless these are set already. It trusts
    the service's certificate, whatever its language. If it fails, standard error says which pushes
    were refused, and why. With --require it exits with 1 also if the command succeeds, but one of
    these push services would have refused one of its pushes.

    With --vendor-hosts endpoints of the vendors' profiles have the vendors' own origins, and
    HTTPS_PROXY names a proxy that answers there and refuses all other hosts but those of
    --proxy-allow and of this machine.

    \b
    Example:
        mockpush exec --require apple,fcm -- pytest -n 4
        mockpush exec --vendor-hosts --profile fcm -- ./send-push
    """
    if vendor_hosts and settings.proxy_port is None:
        settings = replace(settings, proxy_port=0)
    public_key, vapid = _vapid_variables(settings)
    with (
        forwarding() as child,
        new_server(settings).running() as server,
        connected(server.url) as control,
    ):
        subscription = control.subscribe(application_server_key=public_key)
        variables = {"MOCKPUSH_SUBSCRIPTION": json.dumps(subscription), **vapid}
        if settings.require:
            variables["MOCKPUSH_REQUIRE"] = ",".join(settings.require)
        exit_code = child.run(command, {**os.environ, **variables, **server.environ})
        if exit_code and child.started:
            _report(control, exit_code)
        if settings.require and child.started:
            gate = _portable(control)
            exit_code = exit_code or gate
    click.get_current_context().exit(exit_code)


def _vapid_variables(settings: Settings) -> tuple[str, dict[str, str]]:
    """The key of the subscription, and the variables that the user has not set."""
    from mockpush.vapid_keys import CONTACT, PUBLIC_KEY, SUBJECT, VapidKeys, service_keys

    public_key = os.environ.get(PUBLIC_KEY)
    keys = VapidKeys.from_environment()
    if keys is None and public_key:  # the private key is somewhere else
        variables = {CONTACT: SUBJECT}
    else:
        keys = keys or service_keys(vapid_key=settings.vapid_key, data_dir=settings.data_dir)
        public_key = public_key or keys.public_key
        variables = keys.environ()
    given = {name: value for name in variables if (value := os.environ.get(name))}
    return public_key, variables | given


class Child:
    """The command, which gets the signals that we get.

    The number of each signal comes out of `numbers`, and 0 when the command has ended: a handler
    alone would not be run if a signal came just before the system call that waits for the end.
    """

    def __init__(self, numbers: socket.socket, writer: socket.socket) -> None:
        self._numbers = numbers
        self._writer = writer
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def started(self) -> bool:
        """Whether it ever ran."""
        return self._process is not None

    def run(self, command: Sequence[str], environ: Mapping[str, str]) -> int:
        """Runs it to its end; its exit code as shells have it."""
        if select.select([self._numbers], [], [], 0)[0]:  # while the service was starting
            return SIGNALLED + self._next()
        try:
            process = self._process = subprocess.Popen(command, env=environ)  # noqa: S603
        except OSError as error:
            return _not_started(command[0], error)
        threading.Thread(target=self._wait, args=[process], daemon=True).start()
        while number := self._next():
            if number != signal.SIGINT or not _in_foreground():
                process.send_signal(number)
        code = process.wait()
        return code if code >= 0 else SIGNALLED - code

    def _next(self) -> int:
        return self._numbers.recv(1)[0]

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        self._writer.send(b"\0")


@contextmanager
def forwarding() -> Iterator[Child]:
    """Inside the block our SIGINT and SIGTERM are the child's."""
    numbers, writer = socket.socketpair()
    with numbers, writer:
        writer.settimeout(0)
        descriptor = signal.set_wakeup_fd(writer.fileno())
        before = {number: signal.signal(number, _noted) for number in _FORWARDED}
        try:
            yield Child(numbers, writer)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(descriptor)


def _noted(*_: object) -> None:
    """The number of the signal is in the socket already."""


def _in_foreground() -> bool:
    """Whether Ctrl-C reaches the command without us: a terminal signals its foreground group.

    A second SIGINT would be one too many: many programs take it for a wish to die at once.
    """
    if sys.platform == "win32":
        return True
    try:
        terminal = os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)


def _not_started(name: str, error: OSError) -> int:
    if isinstance(error, FileNotFoundError):
        _say(f"{name} is not found: is it installed, and on PATH?")
        return NOT_FOUND
    _say(f"{name} cannot be executed: {error.strerror}")
    return NOT_EXECUTABLE


def _say(text: str) -> None:
    click.echo(click.style(f"mockpush: {text}", fg="red"), err=True)


def _report(control: Control, exit_code: int) -> None:
    """What the service refused, and what did not reach any subscription."""
    requests = [each for name in control.tenants for each in control.for_tenant(name).requests]
    refused = [each for each in requests if each.refused]
    strays = control.server_requests()
    total = count(len(requests), "request")
    _say(f"the command exited with {exit_code}; the service refused {len(refused)} of {total}")
    for request in refused[:_MOST]:
        _echo(_request_lines(request))
    for entry in strays[:_MOST]:
        _echo(_stray_lines(entry))
    left_out = max(0, len(refused) - _MOST) + max(0, len(strays) - _MOST)
    if left_out:
        click.echo(f"  and {left_out} more", err=True)


def _portable(control: Control) -> int:
    """The exit code of the gate, which says what the push services would have refused."""
    from mockpush.client.portability import paragraphs, summary

    portability = control.portability()
    if not portability["refused"]:
        return 0
    _say(f"{summary(portability)}; --require says that none may")
    _echo(f"  {line}" for line in paragraphs(portability["mistakes"]))
    return FAILED


def _request_lines(request: Request) -> Iterator[str]:
    by = "" if request.fault is None else f"  {fault_text(request.fault)}"
    yield f"  {request.status or 'no answer'} {request.method} {request.target}{by}"
    if request.finding is not None:
        yield from finding_lines(request.finding.raw, indent=6)
    if request.objections:
        yield f"      {matrix_line(request.raw)}"


def _stray_lines(entry: Mapping[str, Any]) -> Iterator[str]:
    from mockpush.client.explaining import stray

    yield f"  {stray(entry)}"
    yield f"      {ADVICE[entry['kind']]}"


def _echo(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(line, err=True)
