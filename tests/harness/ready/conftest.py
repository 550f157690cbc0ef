"""Ready senders that are not known to anybody, and a cache of the test's own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mockpush.harness.senders.registry import ReadySender
from mockpush.harness.senders.toolchains import Toolchain

ADAPTER = """
import json, sys
from pathlib import Path

made = Path(__file__).with_name("made").read_text()
for line in sys.stdin:
    if json.loads(line)["op"] == "hello":
        result = {"name": "fake", "version": made, "ops": ["send"]}
    else:
        result = {"ok": False, "error": "it sends nothing"}
    print(json.dumps(result), flush=True)
"""

MAKE = "from pathlib import Path; Path('made').write_text('1.5'); Path('waste').mkdir()"


def python(program: str) -> tuple[str, ...]:
    """A command that runs a program text."""
    return (sys.executable, "-c", program)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the senders in a cache of the test's own."""
    monkeypatch.setenv("MOCKPUSH_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "senders"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The folder of a sender."""
    (tmp_path / "fake" / "inner").mkdir(parents=True)
    (tmp_path / "fake" / "adapter.py").write_text(ADAPTER)
    (tmp_path / "fake" / "inner" / "more.txt").write_text("more")
    return tmp_path / "fake"


@pytest.fixture
def toolchain() -> Callable[..., Toolchain]:
    """A toolchain that needs nothing but this Python."""

    def make(**given: object) -> Toolchain:
        members = {
            "language": "Fake",
            "install": (python(MAKE),),
            "run": (sys.executable, "{here}/{entry}"),
            "advice": "install Fake from somewhere",
            "discards": ("waste",),
        }
        return Toolchain(**{**members, **given})

    return make


@pytest.fixture
def ready(source: Path, cache: Path, toolchain: Callable) -> Callable[..., ReadySender]:
    """A ready sender, not installed yet."""

    def make(
        *,
        own_first: bool = False,
        library: str = "libfake",
        entry: str = "adapter.py",
        **given: object,
    ) -> ReadySender:
        return ReadySender(
            name="fake",
            library=library,
            pinned="1.5",
            toolchain=toolchain(**given),
            source=source,
            entry=entry,
            own_first=own_first,
        )

    return make
