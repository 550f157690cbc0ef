"""The ready senders, with their real libraries, and the page that tells what came of them."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from mockpush.harness.cases import CASES
from mockpush.harness.senders.registry import READY
from mockpush.harness.verdict import Verdict

ROOT = Path(__file__).parents[2]
RESULTS = json.loads((ROOT / "docs" / "sender-results.json").read_text(encoding="utf-8"))
NEEDS = {
    "Python": (),
    "JavaScript": (pytest.mark.needs_node,),
    "Go": (pytest.mark.needs_go,),
    "Rust": (pytest.mark.needs_rust,),
    "Java": (pytest.mark.needs_java,),
}


def script(name: str):
    """A module of `scripts/`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        return importlib.import_module(name)


deviations = script("documentation.deviations").DEVIATIONS
found = script("documentation.sender_results").found
judge_senders = script("judge_senders")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name, marks=(pytest.mark.needs_senders, *NEEDS[READY[name].toolchain.language])
        )
        for name in READY
    ],
)
def test_what_the_page_says_of_a_sender_is_what_comes_of_it(name):
    """If not: `scripts/senders NAME`, then `scripts/docs`."""
    sender = judge_senders.pinned(name)
    told = judge_senders.told(RESULTS, name)
    assert RESULTS[name]["version"] == sender.pinned
    assert judge_senders.verdicts(sender, told) == told


def test_the_page_has_every_sender_in_the_order_of_the_table():
    assert list(RESULTS) == list(READY)


@pytest.mark.parametrize("deviation", deviations, ids=lambda each: each.what)
def test_what_was_known_of_a_library_is_found_or_said_why_not(deviation):
    assert set(deviation.senders) <= set(READY)
    assert deviation.case in ("", *(case.id for case in CASES))
    shown = set(found(deviation.case, RESULTS)) if deviation.case else None
    assert shown == set(deviation.senders) or deviation.note


def test_what_comes_out_differently_is_tried_once_more_by_itself(monkeypatch):
    runs = [{"a": Verdict.PASSED, "b": Verdict.FAILED, "c": Verdict.FAILED}, {"c": Verdict.PASSED}]
    asked = []

    def run_checks(sender, **options):
        asked.append((sender, options))
        results = runs[len(asked) - 1].items()
        return SimpleNamespace(
            results=[SimpleNamespace(id=case, verdict=verdict) for case, verdict in results]
        )

    monkeypatch.setattr(judge_senders, "run_checks", run_checks)
    found = judge_senders.verdicts("x", {"b": "failed"})
    assert found == {"a": Verdict.PASSED, "b": Verdict.FAILED, "c": Verdict.PASSED}
    assert asked == [("x", {"timeout": 5.0}), ("x", {"cases": ["c"], "jobs": 1})]


def test_of_senders_that_are_not_named_the_file_keeps_what_it_has(monkeypatch, tmp_path):
    file = tmp_path / "results.json"
    file.write_text(
        json.dumps({"web-push": {"kept": True}, "webpush": {"cases": {"failed": ["a"]}}})
    )
    monkeypatch.setattr(judge_senders, "RESULTS", file)
    monkeypatch.setattr(judge_senders, "install", lambda names: None)
    monkeypatch.setattr(
        judge_senders, "verdicts", lambda sender, told: {**told, "b": Verdict.PASSED}
    )
    judge_senders.main(["webpush"])
    written = json.loads(file.read_text())
    assert list(written) == ["webpush", "web-push"]
    assert written["web-push"] == {"kept": True}
    assert written["webpush"]["cases"]["passed"] == ["b"]
    assert written["webpush"]["version"] == READY["webpush"].pinned
