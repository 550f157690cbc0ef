"""Baselines: reading, writing, and what they make of a run."""

import re

import pytest

from mockpush.errors import ConfigurationError
from mockpush.harness.baseline import fixed, known_failures, read_baseline, text_of, updated
from mockpush.harness.cases import CASES
from mockpush.harness.jobs import Hello
from mockpush.harness.verdict import Report, Verdict

ONE, TWO, THREE, FOUR = (case.id for case in CASES[:4])


@pytest.fixture
def report(case_result):
    def make(**verdicts):
        return Report(
            sender=Hello(name="x", version=None, ops=("send",), language=None),
            profile="rfc",
            strict=False,
            results=tuple(
                case_result(id=names[name], verdict=Verdict(verdict))
                for name, verdict in verdicts.items()
            ),
            seconds=0,
        )

    names = {"one": ONE, "two": TWO, "three": THREE, "four": FOUR}
    return make


def test_what_is_written_is_sorted_and_can_be_read(tmp_path):
    text = text_of({"rfc8292/2/b": "next release", "rfc8030/5/a": ""})
    assert text == "# mockpush baseline 1\nrfc8030/5/a\nrfc8292/2/b  # next release\n"
    (tmp_path / "x").write_text(text)
    assert read_baseline(str(tmp_path / "x")) == {"rfc8292/2/b": "next release", "rfc8030/5/a": ""}


def test_empty_lines_and_the_line_ends_of_others_do_not_matter(tmp_path):
    (tmp_path / "x").write_bytes(b"# mockpush baseline 1\r\n\r\nrfc8030/5/a\r\n  \n")
    assert read_baseline(str(tmp_path / "x")) == {"rfc8030/5/a": ""}


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "is not a baseline: its first line is not '# mockpush baseline 1'"),
        (b"rfc8030/5/a\n", "is not a baseline: its first line is not '# mockpush baseline 1'"),
        (b"# mockpush baseline 2\n", "is a baseline of version 2; this mockpush reads version 1"),
        (b"# mockpush baseline 1\nRFC 8030\n", ":2: 'RFC 8030' is not the id of a case"),
        (b"# mockpush baseline 1\n\n# x\n", ":3: '# x' is not the id of a case"),
        (b"\xff\xfe", "cannot be read: it is not UTF-8"),
    ],
)
def test_what_is_no_baseline_is_named_with_the_cause(tmp_path, content, cause):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ConfigurationError, match=re.escape(cause)):
        read_baseline(str(tmp_path / "x"))


def test_a_known_failure_that_passes_or_has_no_case_is_fixed(report):
    results = report(one="passed", two="failed", three="skipped").results
    assert fixed([FOUR, THREE, TWO, "rfc8030/9/gone", ONE], results) == sorted(
        [ONE, "rfc8030/9/gone"]
    )


@pytest.mark.parametrize("verdict", ["passed", "info", "warning"])
def test_a_verdict_that_fails_nothing_is_a_fix(report, verdict):
    assert fixed([ONE], report(one=verdict).results) == [ONE]


def test_an_update_has_the_failures_and_what_was_not_judged(report):
    before = {ONE: "a", TWO: "b", THREE: "c", "rfc8030/9/gone": ""}
    after = updated(before, report(one="passed", two="failed", three="skipped", four="failed"))
    assert after == {TWO: "b", THREE: "c", FOUR: ""}


def test_without_a_file_nothing_is_known(report):
    with known_failures(None, update=False) as known:
        assert known.ids is None
        run = report(one="failed")
        assert known.settled(run) is run


def test_a_file_is_read_and_stays(report, tmp_path):
    file = tmp_path / "x"
    file.write_text(text_of({ONE: ""}))
    with known_failures(str(file), update=False) as known:
        assert known.ids == {ONE}
        assert known.settled(report(two="failed")).known is None
    assert file.read_text() == text_of({ONE: ""})


def test_a_file_that_is_not_there_is_an_error_unless_it_is_to_be_written(report, tmp_path):
    file = tmp_path / "x"
    with (
        pytest.raises(ConfigurationError, match="No such file"),
        known_failures(str(file), update=False),
    ):
        pytest.fail("it was read")
    with known_failures(str(file), update=True) as known:
        run = known.settled(report(two="failed"))
    assert file.read_text() == text_of({TWO: ""})
    assert (run.known, run.exit_code) == ({TWO}, 0)


def test_an_update_keeps_comments_and_loses_nothing_if_the_run_ends_early(tmp_path, report):
    file = tmp_path / "x"
    file.write_text(text_of({ONE: "why"}))
    with pytest.raises(KeyError), known_failures(str(file), update=True):
        raise KeyError
    assert file.read_text() == text_of({ONE: "why"})
    with known_failures(str(file), update=True) as known:
        known.settled(report(one="failed", two="failed"))
    assert file.read_text() == text_of({ONE: "why", TWO: ""})
