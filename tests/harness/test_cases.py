"""The table of cases as a whole."""

import re

import pytest

from mockpush.errors import ConfigurationError
from mockpush.harness.case import CaseTable, section_of
from mockpush.harness.cases import CASES
from mockpush.harness.globs import selects
from mockpush.harness.runner import select_cases
from mockpush.protocol.findings import REGISTRY, Level
from mockpush.protocol.registry import payload

NOT_JUDGED = {
    "subscription.expired": "the test arranged it",
    "subscription.expired.404": "the test arranged it",
    "subscription.expired.410": "the test arranged it",
    "subscription.unknown": "no request arrives at the subscription, which fails every case",
    "service.full": "the service's own limit",
    "fault.injected": "the test arranged it",
    "fault.needs_connection": "the test arranged it",
    "ttl.zero": "the sender was asked to",
    "ttl.zero.dropped": "the sender was asked to",
    "subscription.not_removed": "a sender pushes where it is asked to",
    "retry_after.not_awaited": "a sender pushes when it is asked to",
    **dict.fromkeys(
        ("reuse.salt", "reuse.key", "reuse.nonce"), "fresh-salt and fresh-key compare the bodies"
    ),
    "cache_policy.no_cache": "a field of one vendor, to nobody's harm",
    **dict.fromkeys((row.code for row in payload.CODES), "the sender was given the payload"),
    "receipt.requested": "a sender may ask for receipts",
}

SHORT = [case for case in CASES if not case.thorough]


def test_every_id_is_there_once():
    ids = [case.id for case in CASES]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_says_where_its_requirement_stands(case):
    place, _, slug = case.id.rpartition("/")
    if place == "app":
        assert re.match(r"RFC \d{4}, Section \d", case.section)
    else:
        assert case.section.startswith(section_of(case.id))
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert re.fullmatch(r"[^\n]{15,95}\.", case.requirement)


def test_every_finding_about_a_sender_belongs_to_a_case():
    judged = {
        code for case in CASES for code in REGISTRY if case.codes and selects(case.codes, code)
    }
    assert REGISTRY.keys() - NOT_JUDGED.keys() - judged == set()


@pytest.mark.parametrize("case", [case for case in CASES if case.codes], ids=lambda case: case.id)
def test_every_glob_of_a_case_matches_a_finding(case):
    for glob in case.codes:
        assert any(selects([glob.removeprefix("!")], code) for code in REGISTRY), glob


def test_cases_stand_in_the_order_of_the_sections():
    sections = list(dict.fromkeys(case.id.rpartition("/")[0] for case in CASES))
    assert sections[:4] == ["rfc8030/5", "rfc8030/5.1", "rfc8030/5.2", "rfc8030/5.3"]
    assert len({case.id.rpartition("/")[0] for case in CASES}) == len(sections)
    documents = [each.partition("/")[0] for each in sections]
    assert documents == [*sorted(documents[:-1]), "app"]


@pytest.mark.parametrize(
    "case_id", ["rfc8030/5.2", "rfc8030/x/slug", "rfc8030/5/Slug", "8030/5/slug", "app/slug"]
)
def test_an_id_of_another_form_is_refused(case_id):
    with pytest.raises(ValueError, match="is not <document>/<section>/<slug>"):
        section_of(case_id)


def test_a_case_is_declared_where_its_judge_is():
    table = CaseTable()

    @table.judged(
        "rfc8030/5.2/x", "It has an x.", level=Level.SHOULD, section="RFC 8030, Section 9"
    )
    def judge(trial):
        return ()

    (case,) = table.cases
    assert (case.level, case.section, case.judge) == ("should", "RFC 8030, Section 9", judge)
    assert case.ops == {"send"}
    assert not case.takes_turns


def test_cases_of_applications_take_turns_and_need_what_keeps_subscriptions():
    kept = [case for case in CASES if case.takes_turns]
    assert [case.id for case in CASES if case.id.startswith("app/")] == [each.id for each in kept]
    assert {case.ops for case in kept} == {frozenset({"subscribe", "notify", "subscriptions"})}


def test_a_case_of_applications_names_its_section():
    with pytest.raises(ValueError, match="'app/x' is not <document>/<section>/<slug>"):
        CaseTable().judged("app/x", "It has an x.")(lambda trial: ())


@pytest.mark.parametrize(
    ("patterns", "number"),
    [
        ([], len(SHORT)),
        (["rfc8030/5/post"], 1),
        (["rfc8030/5.4"], 6),
        (["*/topic-valid", "*/urgency-valid"], 2),
        (["rfc8030/5.4", "!*/topic-valid"], 5),
        (["!rfc8030/5.4"], len(SHORT) - 6),
        (["app"], 31),
        (["app/keeps-*"], 11),
    ],
)
def test_globs_select_cases(patterns, number):
    assert len(select_cases(patterns)) == number


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("rfc8030/5.4/topic-collapse", "do you mean rfc8030/5.4/topic-collapses"),
        ("zzz", "`mockpush check --list` shows them all"),
    ],
)
def test_globs_that_select_nothing_are_a_mistake(pattern, hint):
    with pytest.raises(ConfigurationError, match=f"no case matches {pattern}; {hint}"):
        select_cases([pattern])
