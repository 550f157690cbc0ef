"""The settings and the commands, from the definitions that the command line itself uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from inspect import cleandoc

import click

from documentation.markdown import Row, code, fence, table
from mockpush.cli import COMMANDS, load, main
from mockpush.commands.options import SettingOption
from mockpush.settings import SETTINGS


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
    parts = [f"### {ctx.command_path}\n", fence("text", usage), *_prose(command.help)]
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
        code(_default(option)),
        option.help or "",
    )


def _default(option: click.Option) -> object:
    """What the option is if it is not given, in words if it depends on others."""
    in_words = option.show_default
    return in_words if isinstance(in_words, str) else option.to_info_dict()["default"]


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
            yield fence("sh", "\n".join(program))
