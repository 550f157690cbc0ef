"""Where browsers are, and what is said where there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockpush import errors
from mockpush.client.browsers.finding import PRODUCTS, find


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only program on PATH is a Firefox."""
    path = tmp_path / "firefox"
    path.write_text("")
    path.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    for product in PRODUCTS.values():
        monkeypatch.delenv(product.variable, raising=False)
    return path


def test_the_first_program_on_the_path_is_taken(program):
    assert find("firefox") == program
    better = program.with_name("firefox-esr")
    program.rename(better)
    assert find("firefox") == better


def test_a_variable_names_another_program(program, monkeypatch):
    monkeypatch.setenv("MOCKPUSH_CHROMIUM", str(program))
    assert find("chromium") == program


@pytest.mark.parametrize("name", PRODUCTS)
def test_one_sentence_says_how_to_install(program, name):
    program.unlink()
    with pytest.raises(errors.BrowserNotFoundError) as raised:
        find(name)
    assert str(raised.value).startswith(
        f"{name.capitalize()} not found: install it, on Debian with"
    )
    assert f"or set {PRODUCTS[name].variable} to the path of its program" in str(raised.value)


def test_a_variable_that_names_no_program_is_an_error_of_its_own(program, monkeypatch):
    monkeypatch.setenv("MOCKPUSH_FIREFOX", "/nowhere/firefox")
    with pytest.raises(errors.BrowserError, match="MOCKPUSH_FIREFOX=/nowhere/firefox is no") as no:
        find("firefox")
    assert not isinstance(no.value, errors.BrowserNotFoundError)
