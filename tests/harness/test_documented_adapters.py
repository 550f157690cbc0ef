"""The adapters in docs/writing-a-sender-adapter.md do what they are there for, as they stand."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mockpush.harness import StreamSender, run_checks
from mockpush.harness.senders.installation import Installation
from mockpush.harness.senders.registry import READY
from mockpush.harness.verdict import Report

ROOT = Path(__file__).parents[2]
ADAPTERS = ROOT / "tests" / "examples" / "adapters"
CASES = [
    "rfc8030/5/post",
    "rfc8030/5/no-payload",
    "rfc8030/5.2/ttl-as-asked",
    "rfc8030/5.3/urgency-as-asked",
    "rfc8030/5.4/topic-as-asked",
    "rfc8030/7.3/*",
    "rfc8291/3.4/payload-binary",
    "rfc8292/2/aud-is-origin",
    "rfc8292/4.2/reason-of-fcm",
]
"""One for each member of a job, and those by which the results are judged."""

NATIVE = {
    "main.go": ("go-webpush", "main.go"),
    "main.rs": ("rust-web-push", "src/main.rs"),
    "Sender.java": ("java-webpush", "src/main/java/Sender.java"),
    "stream.mjs": ("web-push", "stream.mjs"),
    "one_shot.cjs": ("web-push", "one_shot.cjs"),
}
"""The ready sender that has the same libraries, pinned, and where in it the adapter goes."""


@pytest.fixture
def installed(tmp_path: Path) -> Callable[[str], list[str]]:
    """The command that runs an adapter, built and kept as ready senders are."""

    def install(name: str) -> list[str]:
        ready, place = NATIVE[name]
        source = tmp_path / f"documented-{Path(name).suffix[1:]}"
        shutil.copytree(READY[ready].source, source)
        shutil.copyfile(ADAPTERS / name, source / place)
        toolchain = READY[ready].toolchain
        installation = Installation(source=source, toolchain=toolchain, environ=os.environ)
        if not installation.exists:
            installation.make()
        return toolchain.command(installation.directory, name)

    return install


def others(report: Report) -> dict[str, str]:
    """The verdicts of the cases that were not passed."""
    return {each.id: each.verdict for each in report.results if each.verdict != "passed"}


@pytest.mark.parametrize(
    "sender",
    [
        [sys.executable, str(ADAPTERS / "one_shot.py")],
        f"{ADAPTERS / 'one_shot.py'}:answer",
        StreamSender([sys.executable, str(ADAPTERS / "stream.py")]),
    ],
    ids=["one-shot", "callable", "stream"],
)
def test_in_python(sender):
    assert others(run_checks(sender, cases=CASES, jobs=2)) == {}


@pytest.mark.needs_node
def test_in_javascript(installed):
    assert others(run_checks(StreamSender(installed("stream.mjs")), cases=CASES)) == {}
    assert others(run_checks(installed("one_shot.cjs"), cases=CASES)) == {}


@pytest.mark.needs_go
def test_in_go(installed):
    """The library encrypts nothing at all where there is no payload."""
    report = run_checks(StreamSender(installed("main.go")), cases=CASES)
    assert others(report) == {"rfc8030/5/no-payload": "warning"}


@pytest.mark.needs_rust
def test_in_rust(installed):
    """The library signs no message without a payload, and leaves the port out of `aud`."""
    report = run_checks(StreamSender(installed("main.rs")), cases=CASES)
    assert others(report) == {
        "rfc8030/5/no-payload": "failed",
        "rfc8292/2/aud-is-origin": "failed",
    }


@pytest.mark.needs_java
def test_in_java(installed):
    """The library always has a payload, and takes 404 and 410 for one and the same."""
    report = run_checks(StreamSender(installed("Sender.java")), cases=CASES)
    assert others(report) == {
        "rfc8030/5/no-payload": "skipped",
        "rfc8030/5.3/urgency-as-asked": "skipped",
    }


def test_every_adapter_is_shown_and_run():
    page = (ROOT / "docs" / "writing-a-sender-adapter.md").read_text(encoding="utf-8")
    for file in ADAPTERS.glob("*.*"):
        assert f"<!-- example: tests/examples/adapters/{file.name} -->" in page
        assert file.name in NATIVE or file.suffix == ".py"
