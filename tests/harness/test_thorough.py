"""The cases of thousands of messages, here with dozens of them."""

import pytest

from mockpush.harness import series
from mockpush.harness.cases import CASES, thorough
from mockpush.harness.runner import select_cases
from mockpush.harness.service import running_service

LONG = {case.id.rpartition("/")[2]: case for case in CASES if case.thorough}
F, W, P = "failed", "warning", "passed"

LOST = "some messages do not arrive"
KEYS = "some messages, each with new keys on both sides, do not arrive"
SIZES = "payloads of some sizes do not arrive"


@pytest.fixture(scope="module")
def service():
    with running_service(profile="rfc") as running:
        yield running


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Dozens of messages, ten at a time."""
    monkeypatch.setattr(series, "BATCH", 10)
    monkeypatch.setattr(series, "ARRIVAL", 0.05)
    monkeypatch.setattr(thorough, "MESSAGES", 30)
    monkeypatch.setattr(thorough, "PAIRS", 30)
    monkeypatch.setattr(thorough, "LONGEST_PAYLOAD", 50)


@pytest.fixture
def judged(service, mistaken, begin):
    """What becomes of the sender of this name in a case."""

    def judge(name, slug, steps=lambda *told: None):
        sender = getattr(mistaken, name)(service.ca_file)
        return begin(service, sender, steps=steps).judge(LONG[slug])

    return judge


@pytest.mark.parametrize("slug", LONG)
@pytest.mark.parametrize("sender", ["Right", "Cautious"])
def test_a_right_sender_passes_and_leaves_no_evidence(judged, sender, slug):
    result = judged(sender, slug)
    assert (result.verdict, result.problems, result.evidence.jobs) == (P, (), ())


@pytest.mark.parametrize(
    ("slug", "sender", "verdict", "actual"),
    [
        ("every-size", "LosesTheLong", F, "not those of 46 to 50 octets; for the first the sender"),
        ("every-size", "RefusesTheLong", W, "not those of 46 to 50 octets"),
        ("every-size", "Truncates", P, None),
        ("every-size", "LosesOneInEight", P, None),
        ("none-of-thousands-is-lost", "LosesOneInEight", F, "3 are lost; for the first the sender"),
        ("none-of-thousands-is-lost", "LosesEveryThird", F, "10 are lost"),
        ("none-of-thousands-is-lost", "LosesTheLong", P, None),
        ("every-key-pair", "SignsBadlyNowAndThen", F, "3 are lost; for the first the sender"),
        ("every-key-pair", "KeepsTokensByOrigin", F, "29 are lost"),
        ("none-of-thousands-is-lost", "SignsBadlyNowAndThen", P, None),
    ],
)
def test_what_is_lost_now_and_then_fails_its_case(judged, slug, sender, verdict, actual):
    result = judged(sender, slug)
    assert result.verdict == verdict
    assert actual is None or result.problems[0].actual.startswith(actual)


def test_the_failures_are_explained_and_only_some_are_kept(judged):
    result = judged("LosesEveryThird", "none-of-thousands-is-lost")
    assert len(result.evidence.jobs) == series.EXAMPLES
    assert {each.job.payload for each in result.evidence.jobs} >= {b"message 2", b"message 29"}
    result = judged("LosesOneInEight", "none-of-thousands-is-lost")
    (first, *_) = result.evidence.jobs
    assert first.job.payload == b"message 7"
    assert first.messages[0].decryption == "failed"
    assert [each.code for each in result.problems][1].startswith("encryption.")
    assert result.problems[0].request == first.requests[0].id


def test_a_token_that_does_not_verify_is_named(judged):
    result = judged("SignsBadlyNowAndThen", "every-key-pair")
    assert "vapid.signature.invalid" in [each.code for each in result.problems]


@pytest.mark.parametrize("slug", LONG)
def test_who_loses_everything_is_not_asked_for_more(judged, slug):
    told = []
    result = judged("Anonymous", slug, steps=lambda *step: told.append(step))
    assert result.verdict == F
    assert len(told) <= 3 * series.BATCH


def test_it_tells_how_far_it_has_come(judged):
    told = []
    judged("Right", "none-of-thousands-is-lost", steps=lambda *step: told.append(step))
    case_id = LONG["none-of-thousands-is-lost"].id
    assert told == [(case_id, done, 30) for done in range(1, 31)]


def test_they_run_only_where_they_are_asked_for():
    ids = {case.id for case in LONG.values()}
    assert ids.isdisjoint(case.id for case in select_cases(["rfc8291", "rfc8292/*"]))
    assert ids < {case.id for case in select_cases([], thorough=True)}
    (one,) = select_cases([LONG["every-size"].id])
    assert one is LONG["every-size"]


@pytest.mark.parametrize(
    ("sizes", "text"),
    [
        ([7], "7"),
        ([0, 2, 3, 4], "0, 2 to 4"),
        (list(range(0, 40, 2)), "0, 2, 4, 6, 8, 10, 12, 14 and 12 more"),
    ],
)
def test_sizes_are_told_as_ranges(sizes, text):
    assert thorough._ranges(sizes) == text
