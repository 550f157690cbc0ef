"""Small projects whose tests run in a pytest of their own, as those of a user do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

CONFIGURATION = """\
[pytest]
addopts = -p no:cacheprovider --strict-markers
filterwarnings = error
asyncio_default_fixture_loop_scope = function
"""

APPLICATION = '''\
"""What the tests of the small projects push with."""

import requests
from pywebpush import webpush


def push(subscription, vapid, data="hello", *, ttl=60, **headers):
    return webpush(
        dict(subscription),
        data,
        vapid_private_key=vapid.private_key,
        vapid_claims=vapid.claims(),
        ttl=ttl,
        headers=headers,
    )


def push_without_ttl(subscription):
    return requests.post(subscription["endpoint"], timeout=10)
'''

# With the last two pytest prints failures in full a second time.
_OWN = ("PYTEST", "MOCKPUSH", "VAPID", "CI", "BUILD_NUMBER")
_COUNT = re.compile(r"(\d+) (passed|failed|error|skipped|xfailed|xpassed)s?")


@dataclass(frozen=True)
class Run:
    """How a run of pytest ended."""

    code: int
    output: str
    directory: Path

    @property
    def counts(self) -> dict[str, int]:
        """How many tests passed, failed and so on, as the last line has it."""
        return {name: int(count) for count, name in _COUNT.findall(self.output.splitlines()[-1])}

    @property
    def junit(self) -> dict[str, str]:
        """The text of failures and errors by the name of the test."""
        cases = ElementTree.parse(self.directory / "junit.xml").iter("testcase")
        return {case.get("name", ""): "".join(case.itertext()) for case in cases}


class Project:
    """A directory with tests."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.write("pytest.ini", CONFIGURATION)
        self.write("application.py", APPLICATION)

    def write(self, name: str, text: str) -> None:
        """A file of the project."""
        (self.directory / name).write_text(textwrap.dedent(text), encoding="utf-8")

    def run(
        self,
        tests: str,
        *options: str,
        before: tuple[str, ...] = (),
        code: int = 0,
        **variables: str,
    ) -> Run:
        """Runs `tests`, by the command `before` if there is one, and checks the exit code."""
        self.write("test_it.py", tests)
        run = self.command(
            *before, sys.executable, "-m", "pytest", "-q", "-ra", *options, variables=variables
        )
        assert run.code == code, run.output
        return run

    def command(self, *command: str, variables: Mapping[str, str] | None = None) -> Run:
        """Runs a command in the directory, with nothing set for the surrounding run."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
        completed = subprocess.run(
            command,
            cwd=self.directory,
            env={**kept, "PYTHONDONTWRITEBYTECODE": "1", **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        return Run(completed.returncode, completed.stdout, self.directory)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project."""
    directory = tmp_path / "project"
    directory.mkdir()
    return Project(directory)


@pytest.fixture
def run_tests(project: Project) -> Callable[..., Run]:
    """Runs the text of tests in a project of their own."""
    return project.run
