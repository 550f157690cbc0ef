"""What the harness's tests share: programs to drive, and a witness of processes left behind."""

import os
import select
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mockpush.harness.evidence import NOTHING
from mockpush.harness.verdict import CaseResult, Verdict
from mockpush.protocol.findings import Level

SENDERS = Path(__file__).parent / "senders"


@pytest.fixture
def program() -> Callable[..., list[str]]:
    """The command of one of the programs in `senders/`."""

    def command(name: str, *arguments: str) -> list[str]:
        return [sys.executable, str(SENDERS / f"{name}.py"), *arguments]

    return command


class Witness:
    """A FIFO that processes write `!` to and hold open: it ends when the last of them has ended."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        os.mkfifo(path)
        self._reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def somebody_is_there(self) -> bool:
        """Wait for the first one to come."""
        return self._next() == b"!"

    def all_gone(self) -> bool:
        """Wait for the last one to end."""
        while octet := self._next():
            assert octet == b"!"
        return octet == b""

    def _next(self) -> bytes | None:
        readable, _, _ = select.select([self._reader], [], [], 20)
        return os.read(self._reader, 1) if readable else None

    def close(self) -> None:
        os.close(self._reader)


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    fifo = Witness(tmp_path / "alive")
    yield fifo
    fifo.close()


@pytest.fixture
def case_result() -> Callable[..., CaseResult]:
    """A result with the members that matter to the test."""

    def make(**given: object) -> CaseResult:
        members = {
            "id": "rfc8030/5.2/ttl-present",
            "requirement": "Every push message has a TTL.",
            "level": Level.MUST,
            "section": "RFC 8030, Section 5.2",
            "verdict": Verdict.PASSED,
            "reason": None,
            "problems": (),
            "evidence": NOTHING,
            "reproduce": "mockpush check -k rfc8030/5.2/ttl-present --sender pywebpush",
            "seconds": 0.25,
        }
        return CaseResult(**{**members, **given})

    return make
