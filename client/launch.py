"""How a browser is started so that its push service is ours."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Final

from mockpush.protocol.user_agents import UserAgentKind

from .records import Member, Record


class Launch(Record):
    """What the browser called `kind` has to be given by whoever starts it.

    `args` of its command line; `env`, variables besides those that there are; `preferences` of its
    profile; `init_script`, which is to run in each page and worker before their own, or is empty.
    """

    __slots__ = ("kind",)

    user_agent = Member[str]()
    """the id that it has at the service"""
    args = Member["list[str]"]()
    env = Member["dict[str, str]"]()
    preferences = Member["dict[str, str | int | bool]"]()
    init_script = Member[str]()

    def __init__(self, raw: Mapping[str, Any], kind: UserAgentKind) -> None:
        super().__init__(raw)
        self.kind = kind

    @property
    def environ(self) -> dict[str, str]:
        """The whole environment: that of this process, and `env`."""
        return {**os.environ, **self.env}

    def write_preferences(
        self, profile: str | PathLike[str], more: Mapping[str, str | int | bool] | None = None
    ) -> None:
        """Puts `preferences`, and `more`, into the directory of a profile, before the start.

        Into `user.js` of Firefox's, which it reads at every start. Into `Default/Preferences` of
        Chromium's if it is a new one: a Chromium that has run keeps its own there.
        """
        _WRITE[self.kind](Path(profile), {**self.preferences, **(more or {})})

    def __repr__(self) -> str:
        return f"<Launch of {self.kind} as {self.user_agent}>"


def _write_of_chromium(profile: Path, preferences: Mapping[str, Any]) -> None:
    """Dots in names stand between objects."""
    file = profile / "Default" / "Preferences"
    if file.exists():
        return
    tree: dict[str, Any] = {}
    for name, value in preferences.items():
        *above, last = name.split(".")
        place = tree
        for each in above:
            place = place.setdefault(each, {})
        place[last] = value
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(tree), encoding="utf-8")


def _write_of_firefox(profile: Path, preferences: Mapping[str, Any]) -> None:
    lines = (
        f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
        for name, value in preferences.items()
    )
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "user.js").write_text("".join(lines), encoding="utf-8")


_WRITE: Final[Mapping[UserAgentKind, Callable[[Path, Mapping[str, Any]], None]]] = {
    UserAgentKind.CHROMIUM: _write_of_chromium,
    UserAgentKind.FIREFOX: _write_of_firefox,
}
