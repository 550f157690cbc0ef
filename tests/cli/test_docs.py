"""The page on the command line says what the command line says."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from mockpush.cli import COMMANDS, load
from mockpush.settings import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")


def sections() -> dict[str, str]:
    """The text below each third heading."""
    return {part.partition("\n")[0]: part for part in PAGE.split("\n### ")[1:]}


def every_command() -> dict[str, click.Command]:
    commands = {}
    for name, entry in COMMANDS.items():
        command = load(entry)
        below = command.commands if isinstance(command, click.Group) else {"": command}
        commands |= {f"mockpush {name} {each}".strip(): below[each] for each in below}
    return commands


def test_every_command_has_a_section_and_no_other_is_there():
    assert sections().keys() == every_command().keys()


@pytest.mark.parametrize("name", every_command())
def test_every_flag_of_a_command_is_on_the_page(name):
    settings = {setting.flag for setting in SETTINGS}
    for option in every_command()[name].params:
        if isinstance(option, click.Option):
            place = PAGE if settings.intersection(option.opts) else sections()[name]
            assert all(f"`{text}" in place or f", {text}" in place for text in option.opts)


def test_every_setting_is_on_the_page_with_its_variable_and_its_key():
    for setting in SETTINGS:
        assert f"| `{setting.flag}" in PAGE
        assert f"| `{setting.variable}` | `{setting.key}` |" in PAGE
