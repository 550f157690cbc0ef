"""What each part of the project may import (the layers themselves: `[tool.importlinter]`)."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PARTS = ("mockpush", "mockpush.client", "mockpush.harness")
"""The packages that have a folder of their own in the checkout."""

BLOCKING = {"asyncio", "select", "selectors", "socket", "ssl", "subprocess", "threading", "time"}


def folder_of(part: str) -> Path:
    return Path(importlib.import_module(part).__file__).parent


def modules_of(part: str) -> dict[str, Path]:
    """Name and file of each module of a part; an installed wheel has the other parts inside one."""
    folder = folder_of(part)
    nested = [other for other in map(folder_of, PARTS) if folder in other.parents]
    return {
        ".".join((part, *path.relative_to(folder).with_suffix("").parts)): path
        for path in sorted(folder.rglob("*.py"))
        if not any(other in path.parents for other in nested)
        and path.with_name("__init__.py").exists()
    }


PROGRAMS = sorted((folder_of("mockpush.harness") / "senders").glob("*/*.py"))
"""The adapters of ready senders in Python: files that run in environments of their own."""


def import_nodes(path: Path) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node


def imported(name: str, path: Path) -> set[str]:
    """Full names of what the module imports: `asyncio`, `mockpush.protocol.model.Urgency`."""
    package = name.rpartition(".")[0]
    names = set()
    for node in import_nodes(path):
        source = ""
        if isinstance(node, ast.ImportFrom):
            source = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
        names.update(f"{source}.{alias.name}".lstrip(".") for alias in node.names)
    return names


def within(name: str, packages: set[str]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def in_standard_library(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


MODULES = {name: path for part in PARTS for name, path in modules_of(part).items()}


def modules_in(package: str) -> list[str]:
    return [name for name in MODULES if within(name, {package})]


@pytest.mark.parametrize("name", modules_in("mockpush.protocol"))
def test_the_protocol_core_imports_only_itself_cryptography_and_what_does_no_io(name):
    own = {"mockpush.protocol", "mockpush.errors", "cryptography.hazmat", "cryptography.exceptions"}
    for module in imported(name, MODULES[name]):
        assert within(module, own) or in_standard_library(module)
        assert not within(module, BLOCKING)


ON_THE_SERVER = {"mockpush.client.demo"}
"""What of the client stands on the server."""


@pytest.mark.parametrize(
    "name", [name for name in modules_in("mockpush.client") if not within(name, ON_THE_SERVER)]
)
def test_the_user_agent_imports_only_itself_the_protocol_core_and_the_standard_library(name):
    own = {"mockpush.client", "mockpush.protocol", "mockpush.errors", "mockpush._lazy"}
    if within(name, {"mockpush.client.browsers"}):
        own.add("websockets")  # by which real browsers are driven
    for module in imported(name, MODULES[name]):
        assert within(module, own) or in_standard_library(module)
        assert not within(module, ON_THE_SERVER)


def test_importing_the_protocol_core_loads_no_io(modules_loaded_by):
    names = [name.removesuffix(".__init__") for name in modules_in("mockpush.protocol")]
    loaded = modules_loaded_by(f"import {', '.join(names)}")
    assert set(names) <= loaded
    assert loaded.isdisjoint({"asyncio", "socket", "ssl", "starlette", "uvicorn"})


@pytest.mark.parametrize("name", MODULES)
def test_imports_are_relative_in_the_mapped_folders_and_absolute_elsewhere(name):
    own = {part for part in PARTS[1:] if within(name, {part})}
    for node in import_nodes(MODULES[name]):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0 or own
            assert node.level or not within(node.module, own)
        else:
            assert not any(within(alias.name, own) for alias in node.names)


@pytest.mark.parametrize("name", MODULES)
def test_no_module_uses_the_short_names_of_the_mapped_folders(name):
    assert not any(
        within(module, {"client", "harness"}) for module in imported(name, MODULES[name])
    )


def declared(*extras: str) -> set[str]:
    """Names of the distributions that mockpush asks for, with these extras."""
    requirements = map(Requirement, importlib.metadata.requires("mockpush"))
    return {
        requirement.name
        for requirement in requirements
        if requirement.marker is None
        or any(requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    }


@pytest.mark.parametrize("path", PROGRAMS)
def test_the_adapters_of_ready_senders_do_without_mockpush(path):
    assert not any(within(module, {"mockpush"}) for module in imported("adapter", path))


EXTRAS = {"mockpush.harness": "harness", "mockpush.client.demo": "demo"}
"""The parts that need more than the base."""

DISTRIBUTIONS = importlib.metadata.packages_distributions()


@pytest.mark.parametrize("name", MODULES)
def test_everything_imported_is_a_declared_dependency(name):
    extra = next((extra for part, extra in EXTRAS.items() if within(name, {part})), "")
    allowed = declared(extra)
    if name.startswith("mockpush.pytest_"):
        allowed.add("pytest")
    for module in imported(name, MODULES[name]):
        if not in_standard_library(module) and not within(module, {"mockpush"}):
            assert allowed.intersection(DISTRIBUTIONS[module.partition(".")[0]])
