"""The page on the command line says what the command line says."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import click
import pytest

from mockpush.cli import COMMANDS, load
from mockpush.settings import SETTINGS

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location(
        "generate_docs", ROOT / "scripts" / "generate_docs.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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


def test_the_generated_parts_of_all_pages_are_up_to_date(generator):
    for page in generator.PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        assert text == generator.filled(page), f"run scripts/generate_docs.py: {page}"


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


def test_what_is_out_of_date_is_found_and_written(generator, tmp_path, monkeypatch, capsys):
    (tmp_path / "docs").mkdir()
    copy = shutil.copy(ROOT / "docs" / "command-line.md", tmp_path / "docs")
    Path(copy).write_text(PAGE.replace("Port for HTTPS", "Port for HTTP"), encoding="utf-8")
    monkeypatch.setattr(generator, "ROOT", tmp_path)
    monkeypatch.setattr(
        generator, "PAGES", {"docs/command-line.md": generator.PAGES["docs/command-line.md"]}
    )
    assert generator.run(["--check"]) == 1
    assert capsys.readouterr().out == "docs/command-line.md\n"
    assert generator.run([]) == 0
    assert Path(copy).read_text(encoding="utf-8") == PAGE
    assert generator.run(["--check"]) == 0
