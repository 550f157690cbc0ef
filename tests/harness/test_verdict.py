"""What problems add up to."""

import pytest

from mockpush.harness.jobs import Hello
from mockpush.harness.verdict import Problem, Report, Verdict, heaviest, worst
from mockpush.protocol.findings import Level


def problems(*levels):
    return [Problem(level=Level(each), section="", text=each) for each in levels]


@pytest.mark.parametrize(
    ("levels", "verdict"),
    [
        ([], "passed"),
        (["information"], "info"),
        (["vendor"], "warning"),
        (["practice"], "warning"),
        (["should"], "warning"),
        (["must"], "failed"),
        (["information", "vendor"], "warning"),
        (["vendor", "must", "information"], "failed"),
    ],
)
def test_the_heaviest_problem_decides(levels, verdict):
    assert worst(problems(*levels)) == verdict


@pytest.mark.parametrize(
    ("levels", "verdict"),
    [
        ([], "passed"),
        (["information"], "info"),
        (["vendor"], "failed"),
        (["practice", "information"], "failed"),
        (["must"], "failed"),
    ],
)
def test_strict_turns_warnings_into_failures_and_nothing_else(levels, verdict):
    assert worst(problems(*levels), strict=True) == verdict


def test_the_first_of_the_heaviest_problems_gives_the_reason():
    first, second = problems("must", "must")
    assert heaviest([*problems("vendor"), first, second, *problems("should")]) is first


def test_without_problems_there_is_no_reason():
    assert heaviest([]) is None


@pytest.mark.parametrize(
    ("verdicts", "exit_code"),
    [
        (["passed"], 0),
        (["passed", "skipped", "info", "warning"], 0),
        (["passed", "failed"], 1),
        ([], 0),
    ],
)
def test_only_failures_fail_a_run(case_result, verdicts, exit_code):
    report = Report(
        sender=Hello(name="x", version=None, ops=("send",), language=None),
        profile="rfc",
        strict=False,
        results=tuple(case_result(verdict=Verdict(each)) for each in verdicts),
        seconds=0,
    )
    assert report.exit_code == exit_code
    assert sum(report.counts.values()) == len(verdicts)
