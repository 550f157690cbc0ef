"""Where the browsers are that may be installed here. None is ever installed or downloaded."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mockpush import errors


@dataclass(frozen=True, slots=True)
class Product:
    """A browser: the programs that it may be, the variable that names another one, how to install
    it, and the variable that has more arguments."""

    programs: Sequence[str]
    variable: str
    install: str
    arguments: str


PRODUCTS: Final[Mapping[str, Product]] = {
    "firefox": Product(
        ("firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"),
        "MOCKPUSH_FIREFOX",
        "install it, on Debian with `apt install firefox-esr`",
        "MOCKPUSH_FIREFOX_ARGS",
    ),
    "chromium": Product(
        (
            "chromium",
            "chromium-browser",
            "google-chrome",
            "/Applications/Chromium.app/Contents/MacOS/Chromium",
        ),
        "MOCKPUSH_CHROMIUM",
        "install it, on Debian with `apt install chromium`",
        "MOCKPUSH_CHROMIUM_ARGS",
    ),
}


def find(name: str) -> Path:
    """The program of a browser; `errors.BrowserNotFoundError` says how to install it.

    `errors.BrowserError` if the variable names what is no program: somebody wanted this one.
    """
    product = PRODUCTS[name]
    named = os.environ.get(product.variable)
    candidates = (named,) if named else product.programs
    found = next((path for each in candidates if (path := shutil.which(each))), None)
    if found is not None:
        return Path(found)
    kind = name.capitalize()
    if named:
        raise errors.BrowserError(
            f"{product.variable}={named} is no program: set it to that of a {kind}, or unset it"
        )
    raise errors.BrowserNotFoundError(
        f"{kind} not found: {product.install}, or set {product.variable} to the path of its program"
    )


def own_arguments(name: str) -> list[str]:
    """What the user gives to the program besides, written as in a shell; `errors.BrowserError`."""
    variable = PRODUCTS[name].arguments
    given = os.environ.get(variable, "")
    try:
        return shlex.split(given)
    except ValueError as error:
        raise errors.BrowserError(f"{variable}={given!r}: {error}") from error
