"""`mockpush env`, `ready`, `reset` and `version`: small questions to a running service."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mockpush._cache import CACHE, cache_directory
from mockpush.commands.options import json_option, option, with_control, with_service
from mockpush.commands.output import print_json
from mockpush.errors import ConfigurationError

if TYPE_CHECKING:
    from mockpush.client.control import Control

_PAUSE: Final = 0.05
"""Seconds between two questions whether the service is ready."""


def _posix(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _powershell(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


SHELLS: Final[Mapping[str, Callable[[str, str], str]]] = {
    "sh": lambda name, value: f"export {name}={_posix(value)}",
    "fish": lambda name, value: f"set -gx {name} {_fish(value)}",
    "powershell": lambda name, value: f"$Env:{name} = {_powershell(value)}",
}
"""How each shell sets a variable."""


@click.command()
@with_service
@option(
    "--shell",
    type=click.Choice([*SHELLS, "json"]),
    help="The language of the output, if not that of your shell.",
)
@json_option
def env(control: Control, *, shell: str | None, as_json: bool) -> None:
    """Print variables that make programs find and trust the service, whatever their language.

    The files that they name go into a cache directory, which standard error names.

    \b
    Example:
        eval "$(mockpush env)"
        mockpush env --shell fish | source
        mockpush env --shell powershell | Out-String | Invoke-Expression
    """
    variables = _variables(control)
    shell = "json" if as_json else shell or _own_shell()
    if shell == "json":
        print_json(variables)
        return
    for name, value in variables.items():
        click.echo(SHELLS[shell](name, value))


def _variables(control: Control) -> dict[str, str]:
    from mockpush.client.api import Api
    from mockpush.trust import proxied

    about = Api(control.transport, control.tenant).get()
    ca_pem = control.ca_pem().encode()
    directory = _cache(ca_pem)
    click.echo(f"The certificates are in {directory}", err=True)
    ca_file = directory / "ca.pem"
    ca_file.write_bytes(ca_pem)
    url = control.transport.url
    return {
        "MOCKPUSH_URL": url,
        "MOCKPUSH_HTTPS_URL": about["https"],
        "MOCKPUSH_CONTROL_URL": f"{url}/_mockpush/v1",
        "MOCKPUSH_CA_FILE": str(ca_file),
        **_trust_variables(ca_pem, directory, about["hosts"]),
        **proxied(about["proxy"]),
    }


def _trust_variables(ca_pem: bytes, directory: Path, hosts: Sequence[str]) -> dict[str, str]:
    """They extend what is set already, so that a shell must not be given them twice."""
    from mockpush.trust import Trust

    if Path(os.environ.get("MOCKPUSH_CA_FILE", "")).parent == directory:
        return {}
    return Trust(ca_pem, directory, tuple(host.strip("[]") for host in hosts)).environ()


def _cache(ca_pem: bytes) -> Path:
    """A directory of this certificate authority, among the caches of the user."""
    directory = cache_directory(os.environ) / hashlib.sha256(ca_pem).hexdigest()[:16]
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{directory} cannot be made ({error.strerror}): set {CACHE} to a directory that you "
            "can write to"
        ) from error
    return directory


def _own_shell() -> str:
    if Path(os.environ.get("SHELL", "")).name == "fish":
        return "fish"
    return "powershell" if sys.platform == "win32" and "SHELL" not in os.environ else "sh"


@click.command()
@with_service
@option("--wait", type=float, default=0.0, metavar="S", help="Wait so many seconds for it.")
@json_option
def ready(control: Control, *, wait: float, as_json: bool) -> None:
    """Say whether the service takes pushes; exits with 1 if it does not.

    \b
    Example:
        mockpush ready --wait 10 && npm test
    """
    deadline = time.monotonic() + wait
    while not (is_ready := control.ready()) and time.monotonic() < deadline:
        time.sleep(_PAUSE)
    url = control.transport.url
    if as_json:
        print_json({"ready": is_ready, "url": url})
    else:
        click.echo(f"{url} is {'ready' if is_ready else 'not ready'}")
    click.get_current_context().exit(0 if is_ready else 1)


@click.command()
@with_control
@option(
    "--keep",
    multiple=True,
    type=click.Choice(["subscriptions", "messages", "requests", "faults", "clock"]),
    help="Leave this as it is; messages need their subscriptions.",
)
@json_option
def reset(control: Control, *, keep: tuple[str, ...], as_json: bool) -> None:
    """Forget the tenant's subscriptions, messages, requests and faults, and put its clock back.

    \b
    Example:
        mockpush reset --keep subscriptions
    """
    control.reset(keep=keep)
    if as_json:
        print_json({"reset": control.tenant, "kept": list(keep)})
    else:
        click.echo(f"tenant {control.tenant} is reset")


@click.command()
@json_option
def version(*, as_json: bool) -> None:
    """Print the version of mockpush and of what it stands on.

    \b
    Example:
        mockpush version --json
    """
    from importlib.metadata import version as version_of

    versions = {
        "mockpush": version_of("mockpush"),
        "python": sys.version.split()[0],
        **{name: version_of(name) for name in ("cryptography", "starlette", "uvicorn")},
    }
    if as_json:
        print_json(versions)
    else:
        click.echo("\n".join(f"{name} {number}" for name, number in versions.items()))
