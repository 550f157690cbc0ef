"""Portability: what push services object to in a request itself, put together by mistake."""

from __future__ import annotations

import pytest

from mockpush.profiles import PROFILES
from mockpush.protocol.findings import Finding
from mockpush.protocol.head import Head
from mockpush.protocol.inspection import Inspection
from mockpush.protocol.portability import VENDORS, Tally, objections, shown


def inspection(*findings: str | Finding, ttl=60, topic=None, body_size=100) -> Inspection:
    return Inspection(
        tuple(Finding(each) if isinstance(each, str) else each for each in findings),
        Head(ttl, topic),
        vapid=None,
        body_size=body_size,
        exp_in=3600.0,
        restricted=True,
        managed=True,
    )


def objected(*findings: str | Finding, **options) -> dict[str, list[tuple[int, str]]]:
    """Status and code of every objection."""
    found = objections(inspection(*findings, **options), PROFILES)
    return {name: [(each.status, each.finding.code) for each in of] for name, of in found.items()}


def test_the_vendors_are_all_profiles_but_that_of_the_rfcs():
    assert set(VENDORS) == PROFILES.keys() - {"rfc"}


def test_to_what_is_right_nobody_objects():
    assert objected() == {}


@pytest.mark.parametrize(
    "code",
    [
        "subscription.unknown",
        "subscription.expired",
        "subscription.expired.404",
        "subscription.expired.410",
    ],
)
def test_what_became_of_the_subscription_does_not_count_and_hides_nothing(code):
    assert objected(code) == {}
    assert objected(code, "vapid.sub.local_host") == {"apple": [(403, "vapid.sub.local_host")]}


def test_what_only_a_service_with_a_port_can_show_does_not_count():
    assert objected("vapid.aud.port_missing") == {}


def test_inspecting_for_others_changes_nothing():
    gone = inspection("subscription.expired", "ttl.zero")
    objections(gone, PROFILES)
    assert gone.codes == ["subscription.expired", "ttl.zero"]


def test_each_objection_has_the_answer_that_it_alone_would_get():
    found = objected("vapid.sub.local_host", "topic.length_mod_4", topic="inbox")
    assert found == {"apple": [(403, "vapid.sub.local_host"), (400, "topic.length_mod_4")]}


def test_the_finding_is_the_one_that_was_made_here():
    local = Finding("vapid.sub.local_host", "a public host", "mailto:me@localhost")
    [objection] = objections(inspection(local), PROFILES)["apple"]
    assert objection.finding is local
    assert shown({"apple": [objection]})["apple"] == [
        {"status": 403, "reason": "BadJwtToken", "finding": local.as_json()}
    ]


def test_a_measure_that_only_the_vendor_compares_has_a_finding_too():
    bridged = {"mozilla": PROFILES["mozilla"].with_variants(["bridged"])}
    [objection] = objections(inspection(body_size=4000), bridged)["mozilla"]
    assert (objection.status, objection.finding.code) == (413, "body.too_large")
    assert objection.finding.hint


def tally(*requests: Inspection, vendors=VENDORS) -> dict:
    counted = Tally()
    for each in requests:
        counted.add(shown(objections(each, PROFILES)), vendors)
    return counted.as_json()


def test_many_requests_with_the_same_mistake_are_one_mistake_with_a_count():
    found = tally(inspection(), *[inspection("vapid.sub.local_host")] * 100)
    assert (found["requests"], found["refused"]) == (101, 100)
    [mistake] = found["mistakes"]
    assert mistake["count"] == 100
    assert mistake["finding"]["code"] == "vapid.sub.local_host"
    assert mistake["answers"] == {"apple": {"status": 403, "reason": "BadJwtToken"}}


def test_several_who_refuse_the_same_are_one_mistake():
    [mistake] = tally(inspection("vapid.exp.past"))["mistakes"]
    assert mistake["count"] == 1
    assert list(mistake["answers"]) == ["fcm", "apple", "wns"]
    assert mistake["answers"]["fcm"] == {"status": 403, "reason": "token has expired"}


def test_several_mistakes_of_one_request_are_several():
    found = tally(inspection("vapid.sub.local_host", "ttl.zero", ttl=0))
    assert (found["requests"], found["refused"]) == (1, 1)
    codes = {each["finding"]["code"]: list(each["answers"]) for each in found["mistakes"]}
    assert codes == {"vapid.sub.local_host": ["apple"], "ttl.zero": ["wns"]}


def test_only_those_that_are_asked_matter():
    found = tally(inspection("vapid.sub.local_host"), vendors=("fcm", "wns"))
    assert found == {"requests": 1, "refused": 0, "mistakes": []}
