"""The formats, and the files that they are written to."""

import json

import pytest

from mockpush.errors import ConfigurationError
from mockpush.harness.report.outputs import FORMATS, outputs

BEGINNINGS = {
    "json": '{\n  "schema": 1,',
    "junit": "<?xml ",
    "html": "<!doctype html>",
    "markdown": "### ✓ mockpush check",
}


def test_every_format_goes_into_its_file(record, case_result, tmp_path):
    files = {name: str(tmp_path / name) for name in FORMATS}
    with outputs(files) as write:
        write([record(case_result())])
    texts = {name: (tmp_path / name).read_text(encoding="utf-8") for name in FORMATS}
    assert {name for name, text in texts.items() if text.startswith(BEGINNINGS[name])} == set(
        FORMATS
    )
    assert all(text.endswith("\n") for text in texts.values())


def test_one_that_cannot_be_written_is_told_before_the_run_and_leaves_nothing(tmp_path):
    files = {"html": str(tmp_path / "a.html"), "json": str(tmp_path / "no" / "b.json")}
    with (
        pytest.raises(ConfigurationError, match=r"no/b\.json cannot be written: No such file"),
        outputs(files),
    ):
        pytest.fail("it has begun")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FORMATS)
def test_half_a_pair_of_surrogates_breaks_no_format(record, hostile, tmp_path, name):
    file = tmp_path / "report"
    with outputs({name: str(file)}) as write:
        write([record(hostile)])
    assert r"\ud800" in file.read_text(encoding="utf-8")


def test_words_of_others_are_the_same_in_json(record, hostile, words, tmp_path):
    file = tmp_path / "report.json"
    with outputs({"json": str(file)}) as write:
        write([record(hostile)])
    (case,) = json.loads(file.read_text(encoding="utf-8"))["cases"]
    assert case["reason"] == words
