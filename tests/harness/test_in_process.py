"""Callables of this process as senders: `run_checks` as tests call it."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import pytest
import requests

from mockpush.errors import ConfigurationError
from mockpush.harness import StreamSender, patience, run_checks
from mockpush.harness.errors import ChecksFailedError, SenderError, SenderStartError
from mockpush.harness.in_process import CallableSender, Called
from mockpush.harness.naming import sender_of
from mockpush.harness.sender import ApplicationSender, CommandSender, PythonSender
from mockpush.harness.senders.registry import READY
from mockpush.harness.verdict import Verdict

HELLO = b'{"op": "hello"}'
TTL = "rfc8030/5.2/ttl-present"
AUD = "rfc8292/2/aud-is-origin"


@pytest.fixture
def right(mistaken):
    """A sender with a state, made before there is a service."""

    class Configured(mistaken.Right):
        def __init__(self):
            self.authorizations = {}
            self.session = requests.Session()

    return Configured()


# What may be named


@pytest.mark.parametrize(
    ("value", "sender"),
    [
        (READY["pywebpush"], READY["pywebpush"]),
        ("pywebpush", READY["pywebpush"]),
        ("my.module:send", PythonSender("my.module:send")),
        ("http://127.0.0.1:5000/push", ApplicationSender("http://127.0.0.1:5000/push")),
        ("https://localhost/push", ApplicationSender("https://localhost/push")),
        (["node", "x.js"], CommandSender(("node", "x.js"))),
        (StreamSender(["node", "x.js"]), StreamSender(("node", "x.js"))),
        (print, CallableSender(print)),
    ],
)
def test_all_that_names_a_sender(value, sender):
    assert sender_of(value) == sender


@pytest.mark.parametrize("value", [None, 7, [], ["node", 7], CommandSender, b"pywebpush", {}])
def test_what_is_no_sender_says_what_could_be(value):
    with pytest.raises(ConfigurationError, match="is no sender: give a callable"):
        run_checks(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("pywebpusj", "there is no ready sender 'pywebpusj'; do you mean pywebpush"),
        (":send", "MODULE:CALLABLE, not ':send'"),
        ("http:///push", "not 'http:///push'"),
    ],
)
def test_a_name_that_names_nothing_is_said(value, text):
    with pytest.raises(ConfigurationError, match=text):
        run_checks(value)


def test_cases_that_do_not_exist_are_said(right):
    with pytest.raises(ConfigurationError, match="no case matches rfc8292/2/aud; do you mean"):
        run_checks(right, cases="rfc8292/2/aud")


# In this process


def test_an_object_with_a_state_is_a_sender_that_trusts_the_service_meanwhile(right):
    before = dict(os.environ)
    report = run_checks(right, cases=[TTL, "rfc8292/*"])
    assert (report.passed, report.failed) == (True, frozenset())
    assert report.sender.name == "Configured"
    assert len(right.authorizations) >= 1
    assert dict(os.environ) == before
    report.assert_passed()


def test_what_is_async_is_awaited_in_one_loop(right):
    loops = set()

    async def send(job):
        loops.add(asyncio.get_running_loop())
        return right(job)

    assert run_checks(send, cases=[TTL, AUD]).passed
    assert len(loops) == 1
    assert not loops.pop().is_running()


def test_it_is_called_outside_the_loop_and_the_thread_of_the_caller(right):
    threads = set()

    def send(job):
        threads.add(threading.get_ident())
        return right(job)

    async def checked():
        return run_checks(send, cases=[TTL, AUD])

    assert asyncio.run(checked()).passed
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_what_it_raises_is_what_the_library_reported(right):
    def send(job):
        if job["op"] == "send":
            raise OSError("no route to host")
        return right(job)

    (result,) = run_checks(send, cases=TTL).results
    assert result.verdict is Verdict.FAILED
    assert "OSError: no route to host" in result.problems[0].actual
    assert 'raise OSError("no route to host")' in result.evidence.log


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (None, "the sender returned nothing, which is not a dict"),
        ([], r"the sender returned \[\], which is not a dict"),
        ({"name": b"x"}, "the sender returned what JSON does not have: .* bytes"),
        ({"ops": ["send"]}, "must have 'name'"),
    ],
)
def test_an_answer_that_is_none_is_quoted(answer, text):
    with pytest.raises(SenderStartError, match=text):
        run_checks(lambda job: answer)


def test_one_that_exits_does_not_take_the_judge_along(right):
    def send(job):
        return right(job) if job["op"] == "hello" else sys.exit("no")

    (result,) = run_checks(send, cases=TTL).results
    assert result.reason == "the sender ended before it answered: SystemExit('no')"


def test_one_that_never_returns_fails_and_is_greeted_anew(right):
    forever, ops = threading.Event(), []

    def send(job):
        ops.append(job["op"])
        if ops.count("send") == 1 and job["op"] == "send":
            forever.wait()
        return right(job)

    report = run_checks(send, cases=[TTL, "rfc8030/5/post"], timeout=2)
    forever.set()
    assert [each.verdict for each in report.results] == ["failed", "passed"]
    assert report.results[0].reason == "the sender did not return within 2 s"
    assert ops[:3] == ["hello", "send", "hello"]


def test_what_awaits_for_ever_is_cancelled():
    cancelled = threading.Event()

    async def send(job):
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(SenderError, match="did not return within"):
        Called(send).ask(HELLO, timeout=0.1)
    assert cancelled.wait(20)


def test_who_takes_the_limit_for_its_own_has_time_to_say_so(monkeypatch):
    monkeypatch.setattr(patience, "MARGIN", 60_000)
    adapter = Called(lambda job: {"name": "x", "ops": ["send"]})
    assert b'"x"' in adapter.ask(HELLO, timeout=0.001)
    adapter.close()


def test_closing_ends_a_call_that_is_under_way():
    called, end = threading.Event(), threading.Event()

    def send(job):
        called.set()
        end.wait()

    adapter = Called(send)
    closing = threading.Thread(target=lambda: called.wait() and adapter.close())
    closing.start()
    with pytest.raises(SenderError, match="has been closed"):
        adapter.ask(HELLO, timeout=60)
    with pytest.raises(SenderError, match="has been closed"):
        adapter.ask(HELLO, timeout=60)
    end.set()
    closing.join()


def test_closing_ends_its_thread():
    adapter, threads = Called(lambda job: {}), []
    adapter._handler = lambda job: threads.append(threading.current_thread()) or {}
    adapter.ask(HELLO, timeout=60)
    adapter.close()
    threads[0].join(20)
    assert not threads[0].is_alive()


class Shop:
    def answer(self, job):
        return {}


def test_two_are_the_same_if_they_call_the_same():
    shop = Shop()
    assert CallableSender(shop.answer) == CallableSender(shop.answer)
    assert len({CallableSender(shop.answer), CallableSender(shop.answer)}) == 1
    assert CallableSender(shop.answer) != CallableSender(Shop().answer)
    assert CallableSender(shop) != CallableSender(shop.answer)
    assert CallableSender(shop) != shop


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (sender_of, "mockpush.harness.naming:sender_of"),
        (Shop(), "MODULE:CALLABLE"),
        (Shop().answer, "MODULE:CALLABLE"),
        (lambda job: {}, "MODULE:CALLABLE"),
    ],
)
def test_how_to_run_it_on_the_command_line(target, name):
    assert CallableSender(target).arguments == ("--python", name)


# The report


@pytest.fixture
def without_ttl(right):
    right.ttl = lambda job: None
    return right


def test_a_failure_raises_with_all_that_there_is_to_say(without_ttl):
    report = run_checks(without_ttl, cases=[TTL, AUD])
    assert (report.passed, report.failed) == (False, {TTL})
    with pytest.raises(ChecksFailedError) as raised:
        report.assert_passed()
    text = str(raised.value)
    assert isinstance(raised.value, AssertionError)
    assert text.startswith("1 of 2 cases in ")
    assert f"✗ {TTL}  Every push message has" in text
    assert "POST /push/" in text
    assert f"reproduce mockpush check -k {TTL} --python MODULE:CALLABLE" in text
    assert AUD not in text
    assert "\x1b" not in text


def test_a_report_reads_as_on_the_terminal(without_ttl):
    text = str(run_checks(without_ttl, cases=[TTL, AUD]))
    assert f"✗ {TTL.rpartition('/')[2]}" in text
    assert f"✓ {AUD.rpartition('/')[2]}" in text
    assert text.endswith(": 1 failed, 1 passed")
    assert "\x1b" not in text


def test_a_baseline_is_a_file_or_ids(without_ttl, tmp_path):
    file = tmp_path / "known"
    file.write_text(f"# mockpush baseline 1\n{TTL}\n")
    for baseline in (file, str(file), [TTL], {TTL}):
        report = run_checks(without_ttl, cases=TTL, baseline=baseline)
        assert (report.passed, report.failed) == (True, {TTL})
        report.assert_passed()
    assert not run_checks(without_ttl, cases=TTL, baseline=()).passed


# The push service


def test_a_variant_and_a_profile_of_ones_own_are_part_of_how_to_run_it(right, tmp_path):
    file = tmp_path / "own.py"
    file.write_text(
        "from dataclasses import replace\n"
        "from mockpush.profiles import PROFILES\n"
        "OWN = replace(PROFILES['rfc'], name='own', prefix='/own/')\n"
    )
    report = run_checks(
        right, cases=TTL, profile="own", profile_file=file, variants=["wns.success_200"]
    )
    assert (report.passed, report.profile) == (True, "own")
    flags = f"--profile own --variant wns.success_200 --profile-file {file}"
    assert flags in report.results[0].reproduce


@pytest.mark.parametrize("option", [{"variants": ["wns.x"]}, {"profile_file": "no-such.py"}])
def test_a_variant_or_a_file_that_does_not_exist_is_named(right, option):
    with pytest.raises(ConfigurationError, match=r"wns\.x|no-such\.py"):
        run_checks(right, **option)
