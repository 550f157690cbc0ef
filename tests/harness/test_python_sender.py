"""Python callables as senders, each in a process of its own."""

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mockpush.errors import ConfigurationError
from mockpush.harness.adapters import Adapter
from mockpush.harness.errors import SenderError
from mockpush.harness.python_sender import answer, load, serve
from mockpush.harness.sender import PythonSender, environment

LONG = 30.0

MODULE = """
import os, subprocess, sys

async def waits(job):
    return {"ok": True, "status": job["ttl"]}

def prints(job):
    print("one moment")
    subprocess.run(["echo", "from a child"])
    os.write(1, b"from below\\n")
    return {"ok": True}

def reads(job):
    return {"ok": True, "error": repr(sys.stdin.read()), "status": len(os.read(0, 10))}

def raises(job):
    raise RuntimeError("no such key")

def exits(job):
    sys.exit(4)

def returns_a_set(job):
    return {1}

def tells_the_environment(job):
    return dict(os.environ)

class Sender:
    class Inner:
        @staticmethod
        def nested(job):
            return {"ok": True}

nothing = None
"""


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Adapter]]:
    (tmp_path / "my_sender.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    adapters = []

    def open_sender(name: str) -> Adapter:
        environ = environment({"SSL_CERT_FILE": "/ca.pem"})
        adapters.append(PythonSender(f"my_sender:{name}").open(environ))
        return adapters[-1]

    yield open_sender
    for each in adapters:
        each.close()


def ask(adapter: Adapter, **job: object) -> dict[str, object]:
    return json.loads(adapter.ask(json.dumps(job).encode(), timeout=LONG))


def test_the_callable_is_given_the_job_and_its_result_comes_back(opened):
    assert ask(opened("waits"), ttl=7) == {"ok": True, "status": 7}


def test_the_name_may_be_dotted(opened):
    assert ask(opened("Sender.Inner.nested")) == {"ok": True}


def test_what_it_raises_is_a_push_that_failed(opened):
    sender = opened("raises")
    assert ask(sender) == {"ok": False, "error": "RuntimeError: no such key"}
    assert "my_sender.py" in sender.log


def test_what_it_prints_does_not_disturb_the_protocol(opened):
    sender = opened("prints")
    assert ask(sender) == ask(sender) == {"ok": True}
    assert sorted(sender.log.splitlines()) == ["from a child", "from below", "one moment"]


def test_it_cannot_read_the_jobs_that_follow(opened):
    sender = opened("reads")
    for _ in range(2):
        assert ask(sender) == {"ok": True, "error": "''", "status": 0}


def test_it_sees_the_variables_of_trust(opened):
    environ = ask(opened("tells_the_environment"))
    assert (environ["SSL_CERT_FILE"], environ["PYTHONUNBUFFERED"]) == ("/ca.pem", "1")
    assert environ["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("exits", "ended with exit code 4"),
        ("returns_a_set", "ended with exit code 1"),
        ("nothing", "ended with exit code 1"),
        ("missing", "ended with exit code 1"),
    ],
)
def test_one_that_does_not_answer_is_named(opened, name, text):
    with pytest.raises(SenderError, match=text):
        ask(opened(name))


def test_why_it_did_not_answer_is_in_its_log(opened):
    sender = opened("nothing")
    with pytest.raises(SenderError):
        ask(sender)
    assert "TypeError: my_sender:nothing is not callable" in sender.log


@pytest.mark.parametrize("target", ["my_sender", "my_sender:", ":send", ""])
def test_a_target_without_module_and_name_is_refused(target):
    with pytest.raises(ConfigurationError, match="--python takes MODULE:CALLABLE, not"):
        PythonSender(target)


def test_it_serves_until_the_jobs_end():
    results = io.BytesIO()
    serve(lambda job: {"ok": job["n"]}, io.BytesIO(b'{"n": 1}\n{"n": 2}\n'), results)
    assert results.getvalue() == b'{"ok": 1}\n{"ok": 2}\n'


def test_a_coroutine_is_awaited():
    async def handler(job: dict[str, object]) -> dict[str, object]:
        return job

    assert answer(handler, {"ok": True}) == {"ok": True}


def test_what_is_not_callable_is_refused():
    with pytest.raises(TypeError, match="os:name is not callable"):
        load("os:name")
