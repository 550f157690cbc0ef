"""The report as a page, read by an HTML parser."""

import re
from html.parser import HTMLParser

from mockpush.harness.report.page import page
from mockpush.harness.verdict import Verdict

EMPTY = {"meta", "input", "br"}


class Page(HTMLParser):
    """The elements in order, each with its attributes and all text in it; checks the nesting."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements = []
        self.open = []
        self.comments = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", **dict(attrs)}
        assert len(dict(attrs)) == len(attrs)
        self.elements.append(element)
        if tag not in EMPTY:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def handle_comment(self, data):
        self.comments.append(data)

    def all(self, tag, **wanted):
        return [
            each
            for each in self.elements
            if each["tag"] == tag and all(each.get(name) == value for name, value in wanted.items())
        ]

    def cases(self):
        return [each for each in self.all("details") if each.get("class", "").startswith("case ")]


def test_it_is_a_page_of_its_own(mixed):
    text = page([mixed])
    shown = Page(text)
    assert text.startswith("<!doctype html>\n")
    (title,) = shown.all("title")
    assert title["text"] == "mockpush check: scripted 1.2"
    names = {each["tag"] for each in shown.elements}
    assert not names & {"script", "link", "img", "iframe", "base", "object", "form"}
    (style,) = shown.all("style")
    assert not re.search(r"url\(|@import|//", style["text"])
    for element in shown.elements:
        assert not {"src", "srcset"} & element.keys()
        assert not any(name.startswith("on") for name in element)
        assert element.get("href", "#").startswith("#")


def test_the_browser_is_told_to_load_and_run_nothing(mixed):
    (policy,) = Page(page([mixed])).all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_it_is_light_and_dark_and_for_print(mixed):
    (style,) = Page(page([mixed])).all("style")
    for media in ("@media (prefers-color-scheme: dark)", "@media print"):
        assert media in style["text"]
    colours = set(re.findall(r"var\((--[\w-]+)\)", style["text"])) - {"--own", "--own-ground"}
    for block in re.findall(r":root \{(.*?)\}", style["text"], re.DOTALL):
        assert colours <= set(re.findall(r"(--[\w-]+):", block))


def test_every_case_is_there_with_its_verdict_and_new_failures_are_open(mixed):
    cases = Page(page([mixed])).cases()
    assert [(each["class"], each["id"], "open" in each) for each in cases] == [
        ("case passed", "1/rfc8030/5.2/ttl-present", False),
        ("case skipped", "1/rfc8030/5.4/topic", False),
        ("case warning", "1/rfc8292/2/token", False),
        ("case failed", "1/rfc8292/2/aud-is-origin", True),
        ("case failed", "1/rfc8292/2/known", False),
    ]


def test_a_case_has_its_evidence_folded(mixed):
    found = Page(page([mixed])).cases()[3]["text"]
    for part in (
        "vapid.aud.port_missing: aud is not the origin",
        "expectedhttps://localhost:1",
        "hintAdd the port.",
        "request   POST /push/x HTTP/1.1",
        "KeyError: 'x'",
        "mockpush check -k rfc8292/2/aud-is-origin -- node 'x y.js'",
    ):
        assert part in found
    folded = [each for each in Page(page([mixed])).all("details") if "class" not in each]
    assert folded
    assert not any("open" in each for each in folded)


def test_a_known_failure_and_a_skipped_case_say_so(mixed):
    cases = Page(page([mixed])).cases()
    assert "known" in cases[4]["text"].split("rfc8292")[0]
    assert "no option" in cases[1]["text"]


def test_what_is_fixed_is_listed(mixed):
    (listed,) = [each for each in Page(page([mixed])).all("pre") if "none any more" in each["text"]]
    assert "rfc8030/5.2/ttl-present" in listed["text"]


def test_there_is_a_switch_for_each_verdict_that_there_is(mixed):
    shown = Page(page([mixed]))
    switches = shown.all("input", type="checkbox")
    assert [each["id"] for each in switches] == [
        "show-failed",
        "show-warning",
        "show-passed",
        "show-skipped",
    ]
    assert all("checked" in each for each in switches)
    (style,) = shown.all("style")
    for verdict in Verdict:
        assert f"body:has(#show-{verdict}:not(:checked)) .case.{verdict}" in style["text"]


def test_one_run_needs_no_matrix(mixed):
    assert Page(page([mixed])).all("table") == []


def test_several_runs_have_a_matrix_of_senders_and_cases(record, case_result, failed):
    runs = [record(case_result(), failed()), record(case_result(), name="other", version=None)]
    shown = Page(page(runs))
    assert [each["text"] for each in shown.all("th", scope="col")] == ["scripted 1.2", "other"]
    assert [each["text"] for each in shown.all("th", scope="row")] == [
        "rfc8030/5.2/ttl-present",
        "rfc8292/2/aud-is-origin",
    ]
    cells = [(each.get("class"), each["text"]) for each in shown.all("td")]
    assert cells == [("passed", "✓"), ("passed", "✓"), ("failed", "✗"), (None, "")]


def test_links_lead_to_what_they_name(record, case_result, failed):
    shown = Page(page([record(case_result(), failed()), record(case_result())]))
    names = [each["id"] for each in shown.elements if "id" in each]
    assert len(names) == len(set(names))
    links = {each["href"].removeprefix("#") for each in shown.all("a")}
    assert links
    assert links <= set(names)


def test_nothing_that_others_say_is_more_than_text(record, hostile, case_result, words):
    plain = Page(page([record(case_result())]))
    run = record(hostile, name=words, version=words, language=words)
    text = page([run, run])
    shown = Page(text)
    allowed = {each["tag"] for each in plain.elements} | {"div", "dl", "dt", "dd", "table"}
    allowed |= {"thead", "tbody", "tr", "th", "td", "a", "em"}
    assert {each["tag"] for each in shown.elements} <= allowed
    assert shown.comments == []
    assert not [each for each in text if not each.isprintable() and each != "\n"]
    assert "<img src=x onerror=alert(1)>" in shown.cases()[0]["text"]
    for element in shown.elements:
        assert not any(name.startswith("on") for name in element)
