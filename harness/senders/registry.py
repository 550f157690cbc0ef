"""The ready senders: well-known libraries, driven without any code of the user's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from mockpush.errors import ConfigurationError

from ..adapters import Adapter
from ..errors import SenderStartError
from ..sender import PythonSender


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadySender:
    """A library and the program that drives it. `install` is the command that installs it.

    `distribution` is its name in the Python package index, `target` the callable that takes jobs.
    """

    name: str
    language: str
    distribution: str
    target: str
    install: str

    @property
    def version(self) -> str | None:
        """The version that is installed, None if none is."""
        try:
            return version(self.distribution)
        except PackageNotFoundError:
            return None

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("--sender", self.name)

    def open(self, environ: Mapping[str, str]) -> Adapter:
        """See `Sender.open`; `SenderStartError` if the library is not installed."""
        if self.version is None:
            raise SenderStartError(f"{self.name} is not installed: run `{self.install}`")
        return PythonSender(self.target).open(environ)


READY: Final[Mapping[str, ReadySender]] = {
    sender.name: sender
    for sender in (
        ReadySender(
            name="pywebpush",
            language="Python",
            distribution="pywebpush",
            target="mockpush.harness.senders.pywebpush:answer",
            install="pip install 'mockpush[harness]'",
        ),
    )
}


def ready_sender(name: str) -> ReadySender:
    """The ready sender of this name; `ConfigurationError` names those that there are."""
    if name in READY:
        return READY[name]
    close = get_close_matches(name, READY, n=1)
    hint = f"do you mean {close[0]}?" if close else f"there is: {', '.join(READY)}"
    raise ConfigurationError(f"there is no ready sender {name!r}; {hint}")
