"""Senders that are commands, however badly they behave."""

import os
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from mockpush.harness import patience, processes
from mockpush.harness.adapters import Adapter, OneShot, Stream
from mockpush.harness.application import Application
from mockpush.harness.errors import OverdueError, SenderError

JOB = b'{"op": "send"}'
RESULT = b'{"ok": true, "status": 201}'
LONG = 30.0
SHORT = 0.5

Open = Callable[..., Adapter]


@pytest.fixture
def opened(program) -> Iterator[Open]:
    adapters = []

    def open_adapter(kind: type[OneShot] | type[Stream], *arguments: str) -> Adapter:
        adapter = kind(program("misbehaving", *arguments), environ=dict(os.environ))
        adapters.append(adapter)
        return adapter

    yield open_adapter
    for adapter in adapters:
        adapter.close()


@pytest.fixture(params=[OneShot, Stream])
def either(request, opened) -> Callable[..., Adapter]:
    return lambda *arguments: opened(request.param, *arguments)


def test_the_result_is_what_the_sender_printed(either):
    assert either("behaves").ask(JOB, timeout=LONG) == RESULT


def test_who_takes_the_limit_for_its_own_has_time_to_say_so(either, monkeypatch):
    monkeypatch.setattr(patience, "MARGIN", 1000 * LONG)
    assert either("behaves").ask(JOB, timeout=0.001) == RESULT


def test_the_job_reaches_the_sender_whole(either):
    job = b'{"payload": "%s"}' % (b"x" * 500_000)
    assert either("repeats_its_input").ask(job, timeout=LONG) == job


def test_what_a_sender_says_before_its_first_job_is_kept():
    command = [sys.executable, "-c", "import sys; sys.exit('SyntaxError: oops')"]
    process = processes.SenderProcess(command, environ=dict(os.environ))
    assert process.wait(timeout=LONG) == 1
    process.write(JOB)
    assert process.log == "SyntaxError: oops\n"
    process.stop()
    process.stdout.close()


def test_what_the_sender_logs_is_kept(either):
    sender = either("logs")
    sender.ask(JOB, timeout=LONG)
    assert sender.log == 'log of {"op": "send"}\n'


def test_the_log_is_that_of_the_last_job(either):
    sender = either("logs")
    sender.ask(b"first", timeout=LONG)
    sender.ask(b"second", timeout=LONG)
    assert sender.log == "log of second\n"


def test_before_its_first_job_a_sender_has_no_log(either):
    assert either("logs").log == ""


@pytest.mark.parametrize(
    ("behaviour", "text"),
    [
        ("crashes", "ended with exit code 3"),
        ("is_killed", "was ended by SIGKILL"),
        ("prints_a_huge_line", f"a line of more than {processes.LINE_LIMIT} octets"),
    ],
)
def test_a_failure_is_named(either, behaviour, text):
    with pytest.raises(SenderError, match=text):
        either(behaviour).ask(JOB, timeout=LONG)


def test_a_crash_leaves_its_last_words(either):
    sender = either("crashes")
    with pytest.raises(SenderError):
        sender.ask(JOB, timeout=LONG)
    assert sender.log == "Traceback: no such key\n"


@pytest.mark.parametrize("behaviour", ["hangs", "never_reads", "stops_itself"])
def test_a_one_shot_sender_that_does_not_end_is_ended(opened, behaviour):
    with pytest.raises(OverdueError, match=r"did not end within 0\.5 s"):
        opened(OneShot, behaviour).ask(JOB, timeout=SHORT)


def test_a_stream_sender_that_does_not_answer_is_told_to_flush(opened):
    with pytest.raises(OverdueError, match=r"not answer within 0\.5 s; does it flush"):
        opened(Stream, "hangs").ask(JOB, timeout=SHORT)


def test_a_sender_that_cannot_be_started_is_named():
    sender = Stream(["/nowhere/sender"], environ={})
    with pytest.raises(SenderError, match="cannot be started: /nowhere/sender: No such file"):
        sender.ask(JOB, timeout=LONG)


def test_a_command_with_a_null_octet_is_refused_like_any_other():
    with pytest.raises(SenderError, match="cannot be started"):
        OneShot(["send\0er"], environ={}).ask(JOB, timeout=LONG)


def test_a_one_shot_result_is_the_last_line_that_is_not_empty(opened):
    assert opened(OneShot, "talks_before_the_result").ask(JOB, timeout=LONG) == RESULT


@pytest.mark.parametrize("behaviour", ["fails_after_the_result", "closes_its_input"])
def test_a_one_shot_result_counts_however_the_sender_ends(opened, behaviour):
    assert opened(OneShot, behaviour).ask(JOB, timeout=LONG) == RESULT


def test_a_one_shot_sender_without_a_result_is_named(opened):
    with pytest.raises(SenderError, match="ended with exit code 0 and printed no result"):
        opened(OneShot, "says_nothing").ask(JOB, timeout=LONG)


def test_a_stream_sender_answers_every_job_in_one_process(opened):
    sender = opened(Stream, "repeats_its_input")
    assert [sender.ask(b"%d" % n, timeout=LONG) for n in range(3)] == [b"0", b"1", b"2"]
    assert sender.alive


def test_a_stream_sender_that_ended_is_started_anew(opened):
    sender = opened(Stream, "ends_after_each_result")
    for _ in range(2):
        assert sender.ask(JOB, timeout=LONG) == RESULT
        sender._process.wait(timeout=LONG)
        assert not sender.alive


def test_a_stream_sender_that_failed_is_started_anew(opened):
    sender = opened(Stream, "crashes")
    for _ in range(2):
        with pytest.raises(SenderError, match="exit code 3"):
            sender.ask(JOB, timeout=LONG)
        assert not sender.alive


def test_a_stream_sender_that_closed_its_output_is_ended(opened):
    with pytest.raises(SenderError, match="closed its output before it answered"):
        opened(Stream, "closes_its_output").ask(JOB, timeout=LONG)


def test_a_second_line_for_one_job_is_not_taken_for_the_next_result(opened):
    sender = opened(Stream, "prints_twice")
    sender.ask(JOB, timeout=LONG)
    with sender._output._changed:
        assert sender._output._changed.wait_for(lambda: sender._output._lines, LONG)
    with pytest.raises(SenderError, match="a line that no job asked for"):
        sender.ask(JOB, timeout=LONG)
    assert not sender.alive


@pytest.mark.parametrize("descriptor", ["1", "2"])
def test_a_flood_is_bounded(opened, descriptor):
    sender = opened(OneShot, "floods", descriptor)
    with pytest.raises(SenderError, match="did not end"):
        sender.ask(JOB, timeout=SHORT)
    assert len(sender.log) <= processes.LOG_LIMIT


def test_a_flood_on_a_stream_keeps_few_lines(opened):
    sender = opened(Stream, "floods", "1")
    sender.ask(JOB, timeout=LONG)
    assert len(sender._output._lines) <= processes.QUEUED_LINES
    sender.close()
    assert not sender._output._thread.is_alive()


@pytest.mark.parametrize("behaviour", ["ignores_the_end", "hangs_with_a_child"])
def test_a_sender_that_will_not_end_is_killed_with_its_children(either, witness, behaviour):
    with pytest.raises(SenderError, match="did not"):
        either(behaviour, witness.path).ask(JOB, timeout=SHORT)
    assert witness.all_gone()


def test_children_end_with_the_sender(either, witness):
    sender = either("leaves_a_child", witness.path)
    assert sender.ask(JOB, timeout=LONG) == RESULT
    assert witness.all_gone()


def test_closing_ends_a_sender_that_runs(opened, witness):
    sender = opened(Stream, "leaves_a_child", witness.path)
    sender.ask(JOB, timeout=LONG)
    sender.close()
    assert witness.all_gone()
    with pytest.raises(SenderError, match="has been closed"):
        sender.ask(JOB, timeout=LONG)


def test_daemons_end_with_the_sender(either, witness):
    sender = either("leaves_a_daemon", witness.path)
    assert sender.ask(JOB, timeout=LONG) == RESULT
    sender.close()
    assert witness.somebody_is_there()
    assert witness.all_gone()


def test_closing_from_another_thread_ends_the_job_under_way(either, witness):
    sender = either("ignores_the_end", witness.path)
    failures = []

    def ask() -> None:
        with pytest.raises(SenderError) as failure:
            sender.ask(JOB, timeout=LONG)
        failures.append(failure)

    thread = threading.Thread(target=ask)
    thread.start()
    assert witness.somebody_is_there()
    sender.close()
    thread.join(LONG)
    assert failures
    assert witness.all_gone()


def test_what_keeps_nothing_between_jobs_says_so():
    lasting = {Stream: True, OneShot: False, Application: True}
    assert {adapter: adapter.lasting for adapter in lasting} == lasting
