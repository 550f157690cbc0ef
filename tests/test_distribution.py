"""What users install: builds the wheel, looks inside, and installs it."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import site
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {"mockpush": "mockpush", "client": "mockpush/client", "harness": "mockpush/harness"}
"""Each folder of the checkout that is installed, with its place in the wheel."""

BASE = {
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
    "cryptography",
    "websockets",
    "certifi",
    "click",
    "jeepney",
}
"""All that a user's machine gets besides mockpush; a tenth needs a reason."""

NOT_SOURCE = (".*", "__pycache__", "*.egg-info", "build", "dist", "node_modules")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from a copy of the checkout with the tools at hand: no network."""
    directory = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, directory / "source", ignore=shutil.ignore_patterns(*NOT_SOURCE))
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", directory]
    built = subprocess.run(
        [*build, directory / "source"], cwd=directory, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = directory.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def files(wheel) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory) -> Path:
    """The interpreter of an environment that has the wheel, and sees all else in our own."""
    directory = tmp_path_factory.mktemp("environment")
    venv.create(directory, with_pip=False, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", directory, "install", "--quiet"]
    subprocess.run([*pip, "--no-index", "--no-deps", wheel], check=True)
    (packages,) = directory.glob("lib/python*/site-packages")
    (packages / "tools.pth").write_text("\n".join(site.getsitepackages()))
    return directory / "bin" / "python"


def metadata(wheel: Path, directory: Path) -> importlib.metadata.Distribution:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(directory)
    (path,) = directory.glob("*.dist-info")
    return importlib.metadata.Distribution.at(path)


def test_the_list_of_packages_is_that_of_the_folders():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {
        (place / path.relative_to(ROOT / folder)).parent.as_posix().replace("/", ".")
        for folder, place in ((name, Path(place)) for name, place in FOLDERS.items())
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert set(settings["tool"]["setuptools"]["packages"]) == folders


def test_every_file_of_the_three_folders_is_in_the_wheel_and_nothing_else(files):
    expected = {
        f"{place}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, place in FOLDERS.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in files if ".dist-info/" not in name} == expected


def test_the_wheel_installs_one_top_level_name(files):
    top_level = {name.partition("/")[0] for name in files}
    assert {name for name in top_level if not name.endswith(".dist-info")} == {"mockpush"}


def test_types_and_licence_are_in_the_wheel(files):
    assert "mockpush/py.typed" in files
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in files)


def test_the_entry_points_are_the_command_and_the_plugin(wheel, tmp_path):
    entry_points = metadata(wheel, tmp_path).entry_points
    assert {(entry.group, entry.name, entry.value) for entry in entry_points} == {
        ("console_scripts", "mockpush", "mockpush.cli:main"),
        ("pytest11", "mockpush", "mockpush.pytest_plugin"),
    }


def test_the_base_dependencies_are_few(wheel, tmp_path):
    requirements = metadata(wheel, tmp_path).requires
    base = [text for text in requirements if not re.search(r"\bextra\b", text)]
    assert {re.match(r"[\w.-]+", text).group() for text in base} == BASE
    assert len(base) == len(BASE)


def test_the_installed_packages_import(environment, run_python):
    program = "import mockpush, mockpush.client, mockpush.harness as h; print(h.__file__)"
    assert Path(run_python(program, python=environment).strip()).is_relative_to(
        environment.parents[1]
    )


@pytest.mark.parametrize("group", ["console_scripts", "pytest11"])
def test_the_entry_points_load(environment, run_python, group):
    select = f"distribution('mockpush').entry_points.select(group='{group}')"
    program = f"from importlib.metadata import distribution\n(entry,) = {select}\nentry.load()"
    run_python(program, python=environment)


def test_folders_of_the_user_named_as_ours_still_import(environment, run_python, tmp_path):
    for name in ("client", "harness"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("OWNER = 'the user'\n")
    (tmp_path / "test_of_the_user.py").write_text(
        "import client, harness, mockpush.client, mockpush.harness\n"
        "def test_ours_and_theirs(pytestconfig):\n"
        "    assert pytestconfig.pluginmanager.hasplugin('mockpush')\n"
        "    assert client.OWNER == harness.OWNER == 'the user'\n"
        "    assert mockpush.client is not client and mockpush.harness is not harness\n"
    )
    program = "import pytest; print(pytest.main(['-p', 'no:cacheprovider']).name)"
    output = run_python(program, python=environment)
    assert output.endswith("OK\n"), output
