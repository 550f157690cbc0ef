"""The report as JUnit's XML, as CI systems read it: a suite for each run, a test for each case.

A known failure is skipped, so that it does not fail a build; a warning has passed, and says so in
its output, since the format knows no warnings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from ..verdict import Verdict, heaviest
from .record import CaseRecord, RunRecord
from .words import clean, evidence_lines, log_lines, problem_lines

NAME: Final = "mockpush check"


def junit(records: Sequence[RunRecord]) -> str:
    """The whole document."""
    cases = [case for record in records for case in record.cases]
    seconds = sum(record.duration_ms for record in records) / 1000
    root = Element("testsuites", {"name": NAME, **_counts(cases), "time": f"{seconds:.3f}"})
    root.extend(_suite(record) for record in records)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, "unicode")}\n'


def _suite(record: RunRecord) -> Element:
    suite = Element(
        "testsuite",
        {
            "name": clean(record.name),
            **_counts(record.cases),
            "skipped": str(sum(map(_is_skipped, record.cases))),
            "time": f"{record.duration_ms / 1000:.3f}",
            "timestamp": record.started_at[:19],  # the schema has no place for a zone
        },
    )
    _properties(suite, record)
    suite.extend(_test(case, sender=clean(record.sender.name)) for case in record.cases)
    return suite


def _counts(cases: Sequence[CaseRecord]) -> dict[str, str]:
    failures = sum(case.fails for case in cases)
    return {"tests": str(len(cases)), "failures": str(failures), "errors": "0"}


def _properties(suite: Element, record: RunRecord) -> None:
    parent = SubElement(suite, "properties")
    said = (
        ("mockpush", record.mockpush),
        ("sender.version", record.sender.version),
        ("sender.language", record.sender.language),
        ("profile", record.profile),
        ("strict", str(record.strict).lower()),
    )
    for name, value in said:
        SubElement(parent, "property", {"name": name, "value": clean(value or "")})


def _test(case: CaseRecord, *, sender: str) -> Element:
    test = Element(
        "testcase",
        {
            "classname": f"{sender.replace('.', '_')}.{case.document}",
            "name": case.id,
            "time": f"{case.duration_ms / 1000:.3f}",
        },
    )
    if case.fails:
        members = {"message": clean(case.reason or ""), "type": _type(case)}
        failure = SubElement(test, "failure", members)
        failure.text = _text(_failure(case))
    elif _is_skipped(case):
        reason = f"known failure: {case.reason}" if case.known else case.reason
        SubElement(test, "skipped", {"message": clean(reason or "")})
    SubElement(test, "system-out").text = _text(_output(case))
    if log := log_lines(case):
        SubElement(test, "system-err").text = _text(log)
    return test


def _type(case: CaseRecord) -> str:
    """The code of the finding that decided, else how much the case weighs."""
    problem = heaviest(case.problems)
    return (problem.code if problem else None) or case.level


def _is_skipped(case: CaseRecord) -> bool:
    return case.known or case.verdict is Verdict.SKIPPED


def _failure(case: CaseRecord) -> list[str]:
    return [
        f"{case.title}  [{case.requirement}]",
        *(line for problem in case.problems for line in problem_lines(problem)),
        f"reproduce: {clean(case.reproduce)}",
    ]


def _output(case: CaseRecord) -> list[str]:
    problems = () if case.fails else case.problems
    return [
        f"{case.verdict}: {case.title}  [{case.requirement}]",
        *(line for problem in problems for line in problem_lines(problem)),
        *evidence_lines(case.evidence.jobs),
    ]


def _text(lines: Iterable[str]) -> str:
    return "\n".join(["", *lines, ""])
