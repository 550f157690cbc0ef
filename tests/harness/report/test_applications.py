"""Cases about applications in the report: ids of two parts, and jobs that send nothing."""

import json
from xml.etree import ElementTree

import click
import pytest

from mockpush.harness.evidence import Answered, Evidence, FanOut
from mockpush.harness.jobs import SendResult
from mockpush.harness.keeping import (
    KeptResult,
    NotifyJob,
    NotifyResult,
    SubscribeJob,
    SubscriptionsJob,
)
from mockpush.harness.report.document import document, dump, parse
from mockpush.harness.report.junit import junit
from mockpush.harness.report.markdown import markdown
from mockpush.harness.report.page import page
from mockpush.harness.report.secrets import HIDDEN
from mockpush.harness.report.text import text
from mockpush.harness.verdict import Verdict
from mockpush.vapid_keys import VapidKeys

VAPID = VapidKeys.generate()
ENDPOINT = "https://localhost:1/push/x"


@pytest.fixture
def run(record, case_result, failed, request_record):
    """A case that passed, and one of an application, which failed."""
    evidence = Evidence(
        jobs=(
            Answered(
                job=SubscribeJob(subscription={"endpoint": ENDPOINT}, vapid=VAPID),
                result=SendResult(ok=True),
            ),
            FanOut(
                job=NotifyJob(payload=b"hello", ttl=60, urgency=None, topic=None),
                result=NotifyResult(ok=True, sent=0, failed=1, error=VAPID.private_key),
                requests=(request_record(headers=[["X-Key", VAPID.private_key]]),),
                messages=(),
            ),
            Answered(job=SubscriptionsJob(), result=KeptResult(endpoints=(ENDPOINT,))),
        )
    )
    application = failed(id="app/keeps-400", verdict=Verdict.FAILED, evidence=evidence)
    return record(case_result(), application, case_result(id="app/prunes-410"))


def test_they_stand_under_a_heading_of_their_own(run):
    shown = click.unstyle(text([run])).splitlines()
    assert shown[6:9] == [
        "Applications",
        "    ✗ keeps-400  Every push message has a TTL.",
        "    ✓ prunes-410  Every push message has a TTL.",
    ]
    assert "<h2>Applications</h2>" in page([run])


def test_a_whole_id_is_told_where_it_is_needed(run):
    assert "✗ app/keeps-400  " in click.unstyle(text([run]))
    assert "app/keeps-400" in markdown([run])
    names = [
        (each.get("classname"), each.get("name"))
        for each in ElementTree.fromstring(junit([run])).iter("testcase")
    ]
    assert names[1:] == [("scripted.app", "app/keeps-400"), ("scripted.app", "app/prunes-410")]


def test_each_job_is_shown_with_what_it_was_about(run):
    shown = page([run]).replace("&quot;", '"')
    assert f'asked     {{"op": "subscribe", "endpoint": "{ENDPOINT}"}}' in shown
    assert '"sent": 0, "failed": 1}' in shown
    assert f'"endpoints": ["{ENDPOINT}"]}}' in shown
    assert "none came" not in shown


def test_the_key_that_came_with_a_subscription_is_told_nowhere(run):
    told = dump(document(run))
    assert VAPID.private_key not in told
    assert told.count(HIDDEN) == 2


def test_what_is_read_is_what_was_written(run):
    assert parse(dump(document(run)), "report.json") == run


def test_the_results_have_the_members_of_every_job(run):
    results = [each["result"] for each in document(run)["cases"][1]["evidence"]["jobs"]]
    assert [each["sent"] for each in results] == [None, 0, None]
    assert [each["endpoints"] for each in json.loads(json.dumps(results))] == [
        None,
        None,
        [ENDPOINT],
    ]
