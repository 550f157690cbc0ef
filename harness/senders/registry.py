"""The ready senders: well-known libraries, driven without any code of the user's.

The folder beside this file that has a sender's name holds the program that drives the library, and
the versions of all that it needs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import monotonic
from typing import Final

from mockpush.errors import ConfigurationError

from ..adapters import Adapter, Stream
from ..errors import SenderStartError
from ..sender import PythonSender
from .installation import Installation
from .toolchains import GO, JAVA, NODE, PYTHON, RUST, Toolchain

_HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadySender:
    """A library and the program that drives it, `entry` in the folder `source`.

    `library` is its name where it is published, `pinned` the version that is installed. With
    `own_first` the user's own is driven if there is one beside mockpush, whatever its version.
    `limit` is that for a job, in seconds, unless told otherwise: for a library that answers at
    once or never.
    """

    name: str
    library: str
    pinned: str
    toolchain: Toolchain
    source: Path
    entry: str
    own_first: bool = False
    limit: float | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("--sender", self.name)

    @property
    def own_version(self) -> str | None:
        """The version beside mockpush that is driven in place of the pinned one, if there is."""
        try:
            return version(self.library) if self.own_first else None
        except PackageNotFoundError:
            return None

    @property
    def version(self) -> str:
        """The version that is driven."""
        return self.own_version or self.pinned

    @property
    def installed(self) -> bool:
        """Whether nothing has to be installed before it can be driven."""
        return self.own_version is not None or self._installation.exists

    @property
    def missing(self) -> str | None:
        """What stands in the way of installing or driving it, in a sentence."""
        if self.own_version is not None:
            return None
        return self.toolchain.missing(installed=self.installed)

    def open(self, environ: Mapping[str, str]) -> Adapter:
        """See `Sender.open`; installs what is missing, `SenderStartError` if that is not possible.

        Nothing of `environ` has an influence on that: what trusts the service is not what installs.
        """
        self.install()
        if self.own_version is not None:
            return PythonSender(f"{self.source / self.entry}").open(environ)
        command = self.toolchain.command(self.directory, self.entry)
        return Stream(command, environ=environ)

    def install(self) -> None:
        """Install what is missing, and say so on standard error. See `open`."""
        if self.missing is not None:
            raise SenderStartError(f"{self.name} cannot be driven: {self.missing}")
        if self.installed:
            return
        began = monotonic()
        _say(f"installing {self.library} {self.pinned} for --sender {self.name} …")
        try:
            self._installation.make()
        except SenderStartError as error:
            raise SenderStartError(f"{self.name} cannot be installed: {error}") from error
        _say(f"installed in {monotonic() - began:.0f} s: {self.directory}")

    @property
    def directory(self) -> Path:
        """Where it is installed, or would be."""
        return self._installation.directory

    @property
    def _installation(self) -> Installation:
        return Installation(source=self.source, toolchain=self.toolchain, environ=os.environ)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _pywebpush(name: str, *, entry: str) -> ReadySender:
    return ReadySender(
        name=name,
        library="pywebpush",
        pinned="2.5.0",
        toolchain=PYTHON,
        source=_HERE / "pywebpush",
        entry=entry,
        own_first=True,
        limit=5.0,
    )


def _python(name: str, pinned: str) -> ReadySender:
    return ReadySender(
        name=name,
        library=name,
        pinned=pinned,
        toolchain=PYTHON,
        source=_HERE / name,
        entry="adapter.py:answer",
    )


def _node(name: str, pinned: str, *, library: str | None = None) -> ReadySender:
    return ReadySender(
        name=name,
        library=library or name,
        pinned=pinned,
        toolchain=NODE,
        source=_HERE / name,
        entry="adapter.mjs",
    )


def _java(name: str, pinned: str, *, library: str) -> ReadySender:
    return ReadySender(
        name=name,
        library=library,
        pinned=pinned,
        toolchain=JAVA,
        source=_HERE / name,
        entry="src/main/java/Sender.java",
    )


READY: Final[Mapping[str, ReadySender]] = {
    sender.name: sender
    for sender in (
        _pywebpush("pywebpush", entry="adapter.py:answer"),
        _pywebpush("pywebpush-async", entry="adapter.py:answer_async"),
        _pywebpush("pywebpush-aesgcm", entry="adapter.py:answer_aesgcm"),
        _python("webpush", "1.0.6"),
        _python("webpush-rs", "0.1.4"),
        _python("django-push-notifications", "3.3.0"),
        _python("django-webpush", "0.3.6"),
        _node("web-push", "3.6.7"),
        _node("block65-webcrypto-web-push", "2.0.0", library="@block65/webcrypto-web-push"),
        _node("pushforge-builder", "2.0.5", library="@pushforge/builder"),
        _node("webpush-webcrypto", "1.0.5"),
        ReadySender(
            name="go-webpush",
            library="github.com/SherClockHolmes/webpush-go",
            pinned="1.4.0",
            toolchain=GO,
            source=_HERE / "go-webpush",
            entry="main.go",
        ),
        ReadySender(
            name="rust-web-push",
            library="web-push",
            pinned="0.11.0",
            toolchain=RUST,
            source=_HERE / "rust-web-push",
            entry="src/main.rs",
        ),
        _java("java-webpush", "1.3.0", library="com.interaso:webpush"),
        _java("java-web-push", "5.1.2", library="nl.martijndwars:web-push"),
    )
}


def ready_sender(name: str) -> ReadySender:
    """The ready sender of this name; `ConfigurationError` names those that there are."""
    if name in READY:
        return READY[name]
    close = get_close_matches(name, READY, n=1)
    hint = f"do you mean {close[0]}?" if close else f"there is: {', '.join(READY)}"
    raise ConfigurationError(f"there is no ready sender {name!r}; {hint}")
