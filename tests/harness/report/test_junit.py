"""The report as JUnit's XML, read by an XML parser and held against the form that CI reads."""

import re
from xml.etree import ElementTree

import pytest

from mockpush.harness.report.junit import junit
from mockpush.harness.verdict import Verdict

NUMBER = r"\d+"
SECONDS = r"\d+\.\d{3}"
FORM = {
    # element: ({required attribute: pattern}, the order of what may be in it)
    "testsuites": (
        {"name": ".+", "tests": NUMBER, "failures": NUMBER, "errors": NUMBER, "time": SECONDS},
        ["testsuite"],
    ),
    "testsuite": (
        {
            "name": ".+",
            "tests": NUMBER,
            "failures": NUMBER,
            "errors": NUMBER,
            "skipped": NUMBER,
            "time": SECONDS,
            "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
        },
        ["properties", "testcase", "system-out", "system-err"],
    ),
    "properties": ({}, ["property"]),
    "property": ({"name": ".+", "value": ".*"}, []),
    "testcase": (
        {"classname": ".+", "name": ".+", "time": SECONDS},
        ["skipped", "error", "failure", "system-out", "system-err"],
    ),
    "failure": ({"message": ".*", "type": ".+"}, []),
    "skipped": ({"message": ".*"}, []),
    "system-out": ({}, []),
    "system-err": ({}, []),
}
"""The common part of the schemas of Jenkins (xunit plugin) and Ant."""


def check_form(element):
    attributes, order = FORM[element.tag]
    assert set(element.attrib) == set(attributes)
    for name, pattern in attributes.items():
        assert re.fullmatch(pattern, element.get(name), re.DOTALL), (element.tag, name)
    places = [order.index(child.tag) for child in element]
    assert places == sorted(places)
    for child in element:
        check_form(child)


def read(*runs):
    text = junit(runs)
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    root = ElementTree.fromstring(text.encode())
    check_form(root)
    assert all(len(each.findall("failure")) <= 1 for each in root.iter("testcase"))
    return root


@pytest.fixture
def root(record, case_result, failed):
    return read(
        record(
            case_result(),
            failed(),
            case_result(id="rfc8030/5.4/topic", verdict=Verdict.SKIPPED, reason="no option"),
            failed(id="rfc8292/2/token", verdict=Verdict.WARNING),
            failed(id="rfc8292/2/known"),
            known=["rfc8292/2/known"],
        )
    )


def case(root, name):
    (found,) = [each for each in root.iter("testcase") if each.get("name") == name]
    return found


def test_each_case_is_a_test_of_the_class_of_its_document(root):
    assert [(each.get("classname"), each.get("name")) for each in root.iter("testcase")] == [
        ("scripted.rfc8030", "rfc8030/5.2/ttl-present"),
        ("scripted.rfc8292", "rfc8292/2/aud-is-origin"),
        ("scripted.rfc8030", "rfc8030/5.4/topic"),
        ("scripted.rfc8292", "rfc8292/2/token"),
        ("scripted.rfc8292", "rfc8292/2/known"),
    ]


def test_the_counts_are_those_of_the_tests(root):
    (suite,) = root
    for element in (root, suite):
        assert int(element.get("tests")) == len(list(root.iter("testcase"))) == 5
        assert int(element.get("failures")) == len(list(root.iter("failure"))) == 1
    assert int(suite.get("skipped")) == len(list(root.iter("skipped"))) == 2
    assert (suite.get("time"), suite.get("timestamp")) == ("1.235", "2026-01-02T03:04:05")


def test_a_failure_says_what_is_wrong_and_how_to_repeat_it(root):
    failure = case(root, "rfc8292/2/aud-is-origin").find("failure")
    assert failure.get("message") == "vapid.aud.port_missing: aud is not the origin"
    assert failure.get("type") == "vapid.aud.port_missing"
    for part in ("expected  https://localhost:1", "reproduce: mockpush check -k rfc8292/2/aud"):
        assert part in failure.text


def test_a_failure_without_a_problem_is_of_the_level_of_its_case(record, case_result):
    result = case_result(verdict=Verdict.FAILED, reason="x")
    assert read(record(result)).find(".//failure").get("type") == "must"


def test_the_evidence_is_the_output_and_the_log_the_error_output(root):
    found = case(root, "rfc8292/2/aud-is-origin")
    said = found.find("system-out").text
    assert said.count("request   POST /push/x HTTP/1.1") == 3
    assert said.count("\n\nasked") == 2
    assert "KeyError: 'x'" in found.find("system-err").text
    assert case(root, "rfc8030/5.2/ttl-present").find("system-err") is None


def test_a_skipped_case_says_why(root):
    assert case(root, "rfc8030/5.4/topic").find("skipped").get("message") == "no option"


def test_a_known_failure_does_not_fail_a_build(root):
    found = case(root, "rfc8292/2/known")
    assert found.find("failure") is None
    assert found.find("skipped").get("message").startswith("known failure: vapid.aud.port_missing")


def test_a_warning_passes_and_is_in_the_output(root):
    found = case(root, "rfc8292/2/token")
    assert found.find("failure") is found.find("skipped") is None
    assert "aud is not the origin" in found.find("system-out").text


def test_each_run_is_a_suite(record, case_result, failed):
    root = read(record(case_result()), record(failed(), name="web.push", version=None))
    assert [suite.get("name") for suite in root] == ["scripted 1.2", "web.push"]
    assert root.get("tests") == "2"
    assert root[1].find("testcase").get("classname") == "web_push.rfc8292"


def test_nothing_that_others_say_breaks_it(record, hostile):
    root = read(record(hostile, name="<&\"'\x00", version="\ud800"))
    failure = root.find(".//failure")
    assert "]]> </style>" in failure.get("message")
    assert r"\ud800" in failure.text
