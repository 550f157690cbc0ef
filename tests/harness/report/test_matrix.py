"""Several runs beside each other."""

from mockpush.harness.cases import CASES
from mockpush.harness.report.matrix import differing, rows
from mockpush.harness.verdict import Verdict


def table(*runs):
    return [(name, [case and str(case.verdict) for case in cases]) for name, cases in rows(runs)]


def test_a_row_has_the_case_of_each_run_or_nothing(record, case_result):
    first = record(case_result(id="rfc8030/5/a"), case_result(id="rfc8030/5/b"))
    second = record(case_result(id="rfc8030/5/b", verdict=Verdict.FAILED))
    assert table(first, second) == [
        ("rfc8030/5/a", ["passed", None]),
        ("rfc8030/5/b", ["passed", "failed"]),
    ]


def test_rows_stand_in_the_order_of_the_cases_whoever_ran_them(record, case_result):
    ids = [case.id for case in CASES]
    odd, even = ids[1::2], ids[::2]
    shown = table(*(record(*(case_result(id=each) for each in part)) for part in (odd, even)))
    sections = [name.rpartition("/")[0] for name, _ in shown]
    assert sections == [each.rpartition("/")[0] for each in ids]


def test_rows_differ_where_not_everybody_passed(record, case_result):
    first = record(case_result(id="app/a"), case_result(id="app/b"), case_result(id="app/c"))
    second = record(case_result(id="app/a"), case_result(id="app/b", verdict=Verdict.INFO))
    assert [name for name, _ in differing(rows([first, second]))] == ["app/b", "app/c"]
