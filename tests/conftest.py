"""What all tests share: which are deselected, how Hypothesis runs, and clean subprocesses.

A test that needs more than Python carries a mark `needs_…`. It runs only with `--all`, and then a
missing tool is a failure.
"""

from __future__ import annotations

import ipaddress
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import hypothesis
import pytest

PREFIX = "needs_"
TOOLS = {
    "browsers": ("firefox-esr", "chromium"),
    "chromium": ("chromium",),
    "chromedriver": ("chromium", "chromedriver"),
    "go": ("go",),
    "java": ("java", "mvn"),
    "node": ("node", "npm"),
    "rust": ("cargo",),
    "senders": (),
}
"""What a mark `needs_<key>` wants to find on PATH; senders are installed when they are used."""

LONG = 32
"""Characters or octets of a value that are too many for the name of a test; keys have more."""

DESELECTED = pytest.StashKey[Counter[str]]()

# The same examples in each run: whoever runs the suite for another reason meets no new failure.
hypothesis.settings.register_profile(
    "mockpush",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
# Looks for new failures: pytest --hypothesis-profile=explore
hypothesis.settings.register_profile("explore", deadline=None, max_examples=2000)
hypothesis.settings.load_profile("mockpush")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all",
        action="store_true",
        help="run also the tests that need more than Python; a missing tool is a failure",
    )
    parser.addoption(
        "--pictures", metavar="DIR", help="keep pictures of the demo, as docs/images has them"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[DESELECTED] = Counter()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Keys are new in each run, and the processes of `pytest -n` want the same names."""
    return argname if isinstance(val, str | bytes) and len(val) >= LONG else None


def needs(item: pytest.Item) -> list[str]:
    """What the test needs besides Python: `node` for a mark `needs_node`."""
    names = (mark.name for mark in item.iter_markers())
    return sorted({name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)})


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--all"):
        return
    deselected = [item for item in items if needs(item)]
    config.stash[DESELECTED].update(" and ".join(needs(item)) for item in deselected)
    config.hook.pytest_deselected(items=deselected)
    items[:] = [item for item in items if not needs(item)]


def pytest_runtest_setup(item: pytest.Item) -> None:
    for need in needs(item):
        for tool in TOOLS[need]:
            if shutil.which(tool) is None:
                pytest.fail(f"needs {tool}, which is not on PATH", pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands its count to the process that writes the summary."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["deselected"] = dict(session.config.stash[DESELECTED])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node) -> None:
    """Every worker collects all tests, so that one count is everyone's."""
    node.config.stash[DESELECTED] = Counter(getattr(node, "workeroutput", {}).get("deselected", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for need, count in terminalreporter.config.stash[DESELECTED].items():
        tests = "1 test that needs" if count == 1 else f"{count} tests that need"
        terminalreporter.write_line(f"deselected: {tests} {need} (run scripts/test --all)")


@pytest.fixture(scope="session")
def npm_package():
    """Makes a directory with a package of npm, kept for later runs; it appears whole."""

    def install(package: str) -> Path:
        directory = Path(__file__).parents[1] / ".cache" / "node" / package
        if not directory.exists():
            directory.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=directory.parent) as name:
                made = Path(name, "made")
                made.mkdir()
                command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", made, package]
                subprocess.run(command, check=True, capture_output=True, timeout=300)
                with suppress(OSError):  # another process was faster
                    made.rename(directory)
        return directory

    return install


@pytest.fixture
def run_python(tmp_path: Path):
    """Run a program text in a fresh interpreter, away from the checkout; returns what it prints.

    Nothing of the surrounding run reaches it: neither variables of Python, pytest and coverage nor
    the current directory.
    """
    own = ("PYTHON", "PYTEST", "COVERAGE", "COV_", "MOCKPUSH")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(own)}

    def run(program: str, *, python: str | Path = sys.executable) -> str:
        command = [str(python), "-I", "-c", program]
        completed = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert completed.returncode == 0, completed.stderr
        return completed.stdout

    return run


@pytest.fixture
def modules_loaded_by(run_python):
    """The names of the modules that a statement adds to a fresh interpreter, after `first`."""

    def modules(statement: str, *, first: str = "") -> set[str]:
        program = f"{first}\nimport sys\nbefore = set(sys.modules)\n{statement}\n"
        return set(run_python(program + "print(*set(sys.modules) - before)").split())

    return modules


class Witness:
    """A FIFO that processes write `!` to and hold open: it ends when the last of them has ended."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        os.mkfifo(path)
        self._reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def somebody_is_there(self) -> bool:
        """Wait for the first one to come."""
        return self.next() == b"!"

    def all_gone(self) -> bool:
        """Wait for the last one to end."""
        while octet := self.next():
            assert octet == b"!"
        return octet == b""

    def next(self) -> bytes | None:
        """The next octet; empty when the last process has ended, None if nothing happens."""
        readable, _, _ = select.select([self._reader], [], [], 30)
        return os.read(self._reader, 1) if readable else None

    def close(self) -> None:
        os.close(self._reader)


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    fifo = Witness(tmp_path / "alive")
    yield fifo
    fifo.close()


@pytest.fixture
def wire():
    """The link of a gateway by which messages go at once, and nothing comes."""

    class Wire:
        ready = True

        def send(self, message, holder) -> None: ...

        async def look(self) -> None: ...

        def taken_back(self) -> None: ...

        def close(self) -> None: ...

        def lose_identity(self) -> None: ...

    return Wire()


class LeavingError(Exception):
    """A name was to be resolved, or an address to be reached, that is not on this machine."""


_KEPT_IN: list[bool] = []


def _keep_in(event: str, arguments: tuple) -> None:
    """Sees what the interpreter is about to do, below whatever was patched above."""
    if not _KEPT_IN or event not in (
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.connect",
    ):
        return
    place = arguments[1] if event == "socket.connect" else arguments
    if not isinstance(place, tuple):  # the path of a Unix socket
        return
    host = place[0].decode() if isinstance(place[0], bytes) else str(place[0])
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        stays = host in ("localhost", "None")
    else:
        stays = event != "socket.connect" or address.is_loopback
    if not stays:
        raise LeavingError(f"{event}: {host}")


@pytest.fixture(scope="session")
def _audited() -> None:
    sys.addaudithook(_keep_in)


@pytest.fixture
def kept_in(_audited):
    """No name but localhost can be resolved, and nothing reached but loopback: a LeavingError."""
    _KEPT_IN.append(True)
    yield LeavingError
    _KEPT_IN.clear()


@pytest.fixture(scope="session")
def google():
    """The messages of `data/gcm.proto` as classes of Google's protobuf library, by their names."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = descriptor_pb2.FieldDescriptorProto
    text = (Path(__file__).parent / "data/gcm.proto").read_text()
    file = descriptor_pb2.FileDescriptorProto(name="gcm.proto", package="gcm", syntax="proto2")
    for name, fields in re.findall(r"^message (\w+) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        message = file.message_type.add(name=name)
        for label, kind, field, number in re.findall(r"(\w+) (\w+) (\w+) = (\d+);", fields):
            column = message.field.add(name=field, number=int(number))
            column.label = getattr(kinds, f"LABEL_{label.upper()}")
            if kind[0].isupper():
                column.type, column.type_name = kinds.TYPE_MESSAGE, f".gcm.{kind}"
            else:
                column.type = getattr(kinds, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = (pool.FindMessageTypeByName(f"gcm.{each.name}") for each in file.message_type)
    return SimpleNamespace(**{each.name: message_factory.GetMessageClass(each) for each in found})
