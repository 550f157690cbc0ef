"""What the harness's tests share: programs to drive, and a witness of processes left behind."""

import json
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from mockpush.client.records import Request
from mockpush.harness.conversation import Conversation, Conversations
from mockpush.harness.errors import SenderError
from mockpush.harness.evidence import NOTHING
from mockpush.harness.jobs import HelloJob, SendJob
from mockpush.harness.run import Options, Run
from mockpush.harness.senders.registry import READY
from mockpush.harness.service import Service
from mockpush.harness.verdict import CaseResult, Verdict
from mockpush.protocol.findings import Level
from mockpush.vapid_keys import VapidKeys

SENDERS = Path(__file__).parent / "senders"


@pytest.fixture
def program() -> Callable[..., list[str]]:
    """The command of one of the programs in `senders/`."""

    def command(name: str, *arguments: str) -> list[str]:
        return [sys.executable, str(SENDERS / f"{name}.py"), *arguments]

    return command


sys.path.append(str(SENDERS))  # they are made of one another


def load(name: str) -> ModuleType:
    """One of the modules in `senders/`."""
    spec = spec_from_file_location(name, SENDERS / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def mistaken() -> ModuleType:
    """The module of senders that make mistakes."""
    return load("mistaken")


@pytest.fixture(scope="session")
def careless() -> ModuleType:
    """The module of senders that make the mistakes that take more than one message, or a look."""
    return load("careless")


@pytest.fixture(scope="session")
def applications() -> ModuleType:
    """The module of applications that make mistakes."""
    return load("applications")


class InProcess:
    """An adapter to a callable of this process."""

    alive = True
    lasting = True
    log = ""

    def __init__(self, sender: Callable[[dict], dict]) -> None:
        self._sender = sender

    def ask(self, job: bytes, *, timeout: float) -> bytes:
        try:
            return json.dumps(self._sender(json.loads(job))).encode()
        except (LookupError, OSError, TypeError, ValueError) as error:
            raise SenderError(f"the sender ended before it answered: {error}") from error

    def close(self) -> None:
        pass


@pytest.fixture(scope="session")
def begin() -> Callable[..., Run]:
    """A run of a sender of this process."""

    def run(
        service: Service, sender: Callable[[dict], dict], count: int = 1, **options: object
    ) -> Run:
        hello = HelloJob(ca_file=service.ca_file, control=service.control_url, timeout=10)
        conversations = Conversations(
            lambda: Conversation(InProcess(sender), hello=hello, start_timeout=10), count=count
        )
        return Run(
            sender=READY["pywebpush"],
            hello=conversations.start(),
            service=service,
            conversations=conversations,
            options=Options(
                strict=False,
                fail_fast=False,
                timeout=10,
                start_timeout=10,
                jobs=1,
                profile="rfc",
                **options,
            ),
        )

    return run


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


@pytest.fixture
def send_job() -> Callable[..., SendJob]:
    """A job to send a push message."""
    vapid = VapidKeys.generate()
    keys = {"p256dh": "BA", "auth": "AA"}
    subscription = {"endpoint": "https://localhost:1/push/x", "expirationTime": None, "keys": keys}

    def make(**given: object) -> SendJob:
        asked = {"payload": b"hello", "ttl": 60, "urgency": None, "topic": None, **given}
        return SendJob(subscription=subscription, vapid=vapid, **asked)

    return make


@pytest.fixture
def request_record() -> Callable[..., Request]:
    """A request as the control API shows it: refused, since nobody identified himself."""

    def make(**given: object) -> Request:
        members = {
            "id": "r1",
            "tenant": "default",
            "subscription": "s1",
            "message": None,
            "received_at": "2026-11-23T12:00:00+00:00",
            "method": "POST",
            "target": "/push/x",
            "http_version": "1.1",
            "headers": [["TTL", "60"]],
            "body": {"base64": "", "size": 0},
            "findings": [{"code": "vapid.absent", "level": "must"}],
            "profile": "rfc",
            "answers": {},
            "objections": {},
            "answer": {"status": 400, "headers": [], "body": ""},
            "fault": None,
        }
        return Request({**members, **given})

    return make
