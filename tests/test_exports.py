"""The public names: one table per package, and everything else says the same."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

PACKAGES = ["mockpush", "mockpush.client", "mockpush.harness"]
EXPORTS = [
    (package, name)
    for package in PACKAGES
    for name in sorted(importlib.import_module(package)._MODULES)
]

HEAVY = {
    "asyncio",
    "certifi",
    "click",
    "cryptography",
    "email",
    "http",
    "httptools",
    "importlib.metadata",
    "json",
    "logging",
    "socket",
    "ssl",
    "starlette",
    "uvicorn",
    "uvloop",
    "websockets",
}
PLUGIN = {"mockpush", "mockpush._lazy", "mockpush.errors", "mockpush.pytest_plugin"}


def type_checking_imports(package: str) -> dict[str, str]:
    """Each name that type checkers see in `package`, with the module that it comes from."""
    source = Path(importlib.import_module(package).__file__).read_text(encoding="utf-8")
    imports = {}
    for block in ast.parse(source).body:
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
            for node in block.body:
                origin = importlib.util.resolve_name("." * node.level + node.module, package)
                for alias in node.names:
                    imports[alias.name] = f"{origin}.{alias.name}" if origin == package else origin
    return imports


@pytest.mark.parametrize("package", PACKAGES)
def test_type_checkers_see_the_names_of_the_table(package):
    assert type_checking_imports(package) == importlib.import_module(package)._MODULES


@pytest.mark.parametrize("package", PACKAGES)
def test_all_and_dir_say_the_same_as_the_table(package):
    module = importlib.import_module(package)
    assert sorted(module.__all__) == dir(module) == sorted(module._MODULES)


@pytest.mark.parametrize(("package", "name"), EXPORTS)
def test_every_name_is_what_its_module_defines(package, name):
    value = getattr(importlib.import_module(package), name)
    origin = importlib.import_module(importlib.import_module(package)._MODULES[name])
    assert value is (origin if origin.__name__ == f"{package}.{name}" else vars(origin)[name])


@pytest.mark.parametrize("package", PACKAGES)
def test_a_misspelt_name_is_an_attribute_error(package):
    module = importlib.import_module(package)
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'Pusher'"):
        module.Pusher  # noqa: B018


def test_the_version_is_that_of_the_distribution():
    mockpush = importlib.import_module("mockpush")
    assert mockpush.__version__ == importlib.metadata.version("mockpush")


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_nothing_but_its_table(package, modules_loaded_by):
    loaded = modules_loaded_by(f"import {package}")
    assert {name for name in loaded if name.startswith("mockpush")} == {
        "mockpush",
        "mockpush._lazy",
        package,
    }
    assert loaded.isdisjoint(HEAVY)


def test_the_unused_pytest_plugin_loads_nothing_that_pytest_has_not_loaded(modules_loaded_by):
    assert modules_loaded_by("import mockpush.pytest_plugin", first="import pytest") <= PLUGIN
