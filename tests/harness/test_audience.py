"""Each case about applications, judged by the real service, with right and mistaken ones."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from mockpush.harness.cases import CASES, retries
from mockpush.harness.service import running_service

OF_APPLICATIONS = [case for case in CASES if case.takes_turns]
BY_SLUG = {case.id.removeprefix("app/"): case for case in OF_APPLICATIONS}

F, W = "failed", "warning"

FORGETS = "forgets a subscription that still exists"
MISTAKES = [
    ("prunes-404", "Keeps404", "Right", W, "keeps a subscription that no longer exists"),
    ("prunes-410", "Keeps410", "Right", W, "keeps a subscription that no longer exists"),
    *(
        (f"keeps-{status}", status, "Right", F, FORGETS)
        for status in (400, 401, 403, 413, 429, 500, 502, 503, 504)
    ),
    ("keeps-broken-connection", 0, "Right", F, FORGETS),
    ("keeps-unanswered", "Right", "NeverGivesUp", F, "ended before it answered"),
    ("prunes-no-other", "PrunesAllByHost", "Right", F, FORGETS),
    ("failures-do-not-stop-the-others", "StopsAtAFailure", "Right", F, "pushes to others failed"),
    ("payload-reaches-everybody", "OneKeyOfUserAgentsForAll", "Right", F, "not get the payload"),
    ("payload-reaches-everybody", "Right", "Ascii", F, "does not get the payload"),
    ("ttl-as-asked", "SetsItsTtl", "Right", F, "the TTL field"),
    ("urgency-as-asked", "SetsItsUrgency", "Right", F, "the Urgency field"),
    ("topic-as-asked", "SetsItsTopic", "Right", F, "the Topic field"),
    ("dead-ones-do-not-stop-the-others", "RemovesWhileItIterates", "Right", F, "get no message"),
    ("aud-of-each-push-service", "Right", "OneAudience", F, "vapid.aud.mismatch"),
    ("aud-of-each-push-service", "Right", "KeepsTokensByHost", F, "vapid.aud."),
    ("one-token-for-each-push-service", "Right", "FreshTokens", "info", "tokens of their own"),
    ("subscribed-twice", "KeepsDuplicates", "Right", W, "the number of requests"),
    ("key-of-the-subscription", "OneKeyForAllAndSaysNothing", "Right", F, "nobody is told"),
    ("key-of-the-subscription", "OneKeyForAll", "Right", "info", "get no messages any more"),
    ("key-of-the-subscription", "FirstKeyForAll", "Right", F, "of the newest key gets no message"),
    ("sent-and-failed-are-true", "CountsRefusals", "Right", F, "calls sent is not true"),
    ("sent-and-failed-are-true", "CountsTwice", "Right", F, "calls failed is not true"),
    ("not-one-after-the-other", "OneByOne", "Right", "info", "one after the other"),
    ("waits-for-retry-after", "IgnoresRetryAfter", "Right", W, "tries again too early"),
    ("waits-for-retry-after", "TriesAgainInTheBackground", "Right", W, "tries again too early"),
    ("pauses-before-it-retries", "RetriesAtOnce", "Right", W, "tries again too early"),
    ("sent-and-failed-are-true", "HidesThrottling", "Right", F, "calls sent is not true"),
    ("not-repeated-as-it-was", "RepeatsWhatIsRefused", "Right", W, "that was answered 400"),
    ("retries-end", "NeverGivesUp", "Right", W, "again and again"),
    ("not-sent-twice", "SendsAgain", "Right", W, "delivered twice"),
]
"""Case, the application of `applications` and the sender of `mistaken`, verdict, reason."""


@pytest.fixture(scope="module")
def service():
    with running_service(profile="rfc") as running:
        yield running


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """What tries again in the background here does so soon."""
    monkeypatch.setattr(retries, "LINGER", 0.3)


@pytest.fixture
def run(service, mistaken, applications, begin):
    """A run of the application of this name, or of one that prunes on a status."""

    def of(name, sender="Right"):
        kind = (
            applications.prunes_on(name) if isinstance(name, int) else getattr(applications, name)
        )
        made = getattr(mistaken, sender)(service.ca_file)
        made.patience = min(made.patience, 1.0)
        return begin(service, kind(made))

    return of


@pytest.mark.parametrize(
    "name", ["Right", "TriesAgain", "CannotForget", "ReplacesWhatItSendsAgain"]
)
def test_a_right_application_passes_every_case(run, name):
    running = run(name)
    results = [running.judge(case) for case in OF_APPLICATIONS]
    assert [(each.id, each.reason) for each in results if each.verdict != "passed"] == []


@pytest.mark.parametrize(
    ("slug", "application", "sender", "verdict", "reason"), MISTAKES, ids=lambda value: str(value)
)
def test_a_mistaken_application_has_its_worst_verdict_in_its_case(
    run, slug, application, sender, verdict, reason
):
    running = run(application, sender)
    cases = {name: case for name, case in BY_SLUG.items() if name == slug or not case.silent}
    results = {name: running.judge(case) for name, case in cases.items()}
    assert results[slug].verdict == verdict
    assert reason in results[slug].reason
    heaviest = [name for name, each in results.items() if each.verdict in (F, W, verdict)]
    assert heaviest == [slug]


def test_every_case_can_fail():
    assert {slug for slug, *_ in MISTAKES} == BY_SLUG.keys()


@pytest.mark.parametrize(
    ("slug", "application", "verdict", "reason"),
    [
        ("prunes-410", "HidesWhatItKeeps", W, "keeps a subscription that no longer exists"),
        ("prunes-410", "ListsWhatIsGone", W, "keeps a subscription that no longer exists"),
        ("retries-end", "SendsNothing", W, "no request arrived at any push resource"),
        ("prunes-410", "TakesNoSubscriptions", F, "the application reports that subscribe failed"),
        ("prunes-410", "CannotCount", F, "must have 'sent': how many"),
        ("prunes-410", "HasNoTopics", "skipped", "the sender has no option for topic"),
    ],
)
def test_what_an_application_does_otherwise(run, slug, application, verdict, reason):
    result = run(application).judge(BY_SLUG[slug])
    assert (result.verdict, reason in result.reason) == (verdict, True)


def test_an_application_is_told_to_forget_before_each_case(run):
    running = run("ForgetsOnlyWhenItIsTold")
    running.judge(BY_SLUG["keeps-400"])
    (_, before, *_) = running.judge(BY_SLUG["keeps-400"]).evidence.jobs
    assert before.result.endpoints == ()


@pytest.mark.parametrize("slug", ["keeps-400", "not-one-after-the-other"])
def test_an_application_that_cannot_be_told_to_forget_gets_410(run, slug):
    running = run("CannotForget")
    running.judge(BY_SLUG[slug])
    (before, *_) = running.judge(BY_SLUG["keeps-400"]).evidence.jobs
    assert before.result.endpoints == ()


def test_what_an_application_keeps_besides_is_of_no_concern(run):
    running = run("ForgetsNothing")
    results = [running.judge(BY_SLUG[slug]) for slug in ("keeps-400", "sent-and-failed-are-true")]
    assert [each.verdict for each in results] == ["passed", "passed"]
    assert len(results[1].evidence.jobs[0].result.endpoints) == 1


def test_cases_take_turns_whoever_asks(begin, service, mistaken, applications):
    application = applications.Right(mistaken.Right(service.ca_file))
    asked = []

    def logging(job):
        asked.append(job["op"])
        return application(job)

    running = begin(service, logging, count=4)
    cases = [case for slug, case in BY_SLUG.items() if slug.startswith("keeps-")]
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(running.judge, cases))
    one = ["reset", "subscriptions", "subscribe", "notify", "subscriptions"]
    assert [each for each in asked if each != "hello"] == one * len(cases)
    assert {each.verdict for each in results} == {"passed"}


def test_evidence_has_the_fan_out_and_what_went_before(run):
    result = run("CannotForget").judge(BY_SLUG["keeps-400"])
    (before, subscribed, fan_out, kept) = result.evidence.jobs
    assert before.result.endpoints == ()
    assert subscribed.job.shown()["op"] == "subscribe"
    (request,) = fan_out.requests
    assert (request.status, fan_out.result.failed, fan_out.messages) == (400, 1, ())
    assert kept.result.endpoints == (subscribed.job.subscription["endpoint"],)
