"""Fills in the generated parts of the documentation.

    .venv/bin/python scripts/generate_docs.py [--check]

Between `<!-- generated: NAME -->` and `<!-- end -->` of a page stands what the function for that
name returns; everything else is written by hand. With --check nothing is written, and the exit code
is 1 if something is out of date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from inspect import cleandoc
from pathlib import Path
from typing import Final

import click

from mockpush.cli import COMMANDS, load, main
from mockpush.commands.options import SettingOption
from mockpush.settings import SETTINGS

ROOT: Final = Path(__file__).resolve().parents[1]
_BLOCK: Final = re.compile(r"(<!-- generated: ([\w-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)

Row = Sequence[str]


def table(head: Row, rows: Iterable[Row]) -> str:
    """A table in Markdown."""
    head_line, *lines = (
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n"
        for row in (head, *rows)
    )
    return "".join([head_line, f"|{'---|' * len(head)}\n", *lines])


def code(text: object) -> str:
    """Text as code; nothing for nothing."""
    return f"`{text}`" if text not in (None, "", (), False) else ""


# docs/command-line.md


def settings() -> str:
    """The settings of a service."""
    return table(
        ("flag", "variable", "key", "default", ""),
        (
            (
                code(f"{each.flag} {each.kind.metavar}".rstrip()),
                code(each.variable),
                code(each.key),
                code(each.default),
                each.help,
            )
            for each in SETTINGS
        ),
    )


def commands() -> str:
    """Every command with its own flags."""
    top = click.Context(main, info_name="mockpush", auto_envvar_prefix="MOCKPUSH")
    return "\n".join(_command(load(entry), name, top) for name, entry in COMMANDS.items())


def _command(command: click.Command, name: str, parent: click.Context) -> str:
    ctx = click.Context(command, info_name=name, parent=parent)
    if isinstance(command, click.Group):
        return "\n".join(
            _command(below, name, ctx) for name, below in sorted(command.commands.items())
        )
    usage = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
    parts = [f"### {ctx.command_path}\n", f"```text\n{usage}\n```\n", *_prose(command.help)]
    options = [each for each in command.params if isinstance(each, click.Option)]
    own = [each for each in options if not isinstance(each, SettingOption)]
    if own != options:
        flags = "Besides its own its flags" if own else "Its flags"
        parts.append(f"{flags} are the [settings](#settings).\n")
    if own:
        parts.append(table(("flag", "variable", "default", ""), (_flag(each, ctx) for each in own)))
    return "\n".join(parts)


def _flag(option: click.Option, ctx: click.Context) -> Row:
    value = "" if option.is_flag else option.make_metavar(ctx)
    names = ", ".join(option.opts)
    return (
        code(f"{names} {value}".rstrip()),
        ", ".join(map(code, _variables(option, ctx))),
        code(option.to_info_dict()["default"]),
        option.help or "",
    )


def _variables(option: click.Option, ctx: click.Context) -> Sequence[str]:
    if isinstance(option.envvar, str):
        return [option.envvar]
    if option.envvar:
        return option.envvar
    return [f"{ctx.auto_envvar_prefix}_{option.name}".upper()] if option.show_envvar else []


def _prose(text: str | None) -> Iterator[str]:
    """The help of a command as Markdown; what click must not rewrap is lines of a program."""
    for paragraph in cleandoc(text or "").split("\n\n"):
        if not paragraph.startswith("\b"):
            yield f"{paragraph}\n"
            continue
        lines = paragraph.splitlines()[1:]
        yield from (f"{line}\n" for line in lines if not line.startswith(" "))
        program = [line.strip() for line in lines if line.startswith(" ")]
        if program:
            yield "\n".join(["```sh", *program, "```\n"])


PAGES: Final[Mapping[str, Mapping[str, Callable[[], str]]]] = {
    "docs/command-line.md": {"settings": settings, "commands": commands},
}
"""What is generated, by page and by the name in its comment."""


def filled(page: str) -> str:
    """A page with its generated parts as they should be."""

    def fill(match: re.Match[str]) -> str:
        return f"{match[1]}{PAGES[page][match[2]]()}{match[4]}"

    return _BLOCK.sub(fill, (ROOT / page).read_text(encoding="utf-8"))


def run(arguments: Sequence[str]) -> int:
    """Writes the pages that are out of date, or names them."""
    outdated = [page for page in PAGES if (ROOT / page).read_text(encoding="utf-8") != filled(page)]
    for page in outdated:
        sys.stdout.write(f"{page}\n")
        if "--check" not in arguments:
            (ROOT / page).write_text(filled(page), encoding="utf-8")
    return 1 if outdated and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
