"""The files of the page: complete, valid, small, and all that it loads is its own."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
from html.parser import HTMLParser
from importlib.resources import files
from urllib.parse import urlsplit

import pytest

from mockpush.client.demo.site import FILES
from mockpush.protocol.events import EventKind

SITE = files("mockpush.client.demo") / "site"
TEXTS = [name for name in FILES if not name.endswith(".png")]
SCRIPTS = [name for name in FILES if name.endswith(".js")]
MOST = 50_000
"""Octets of all files; a third of that on the wire, compressed."""


def read(name: str) -> str:
    return (SITE / name).read_text(encoding="utf-8")


class Page(HTMLParser):
    """What the document has and refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(read("index.html"))

    def handle_starttag(self, tag, attrs) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if "id" in given:
            self.ids.append(given["id"])

    def values(self, name: str) -> list[str]:
        return [given[name] for _, given in self.tags if given.get(name)]


@pytest.fixture(scope="module")
def page() -> Page:
    return Page()


def size_of(name: str) -> tuple[int, int]:
    data = (SITE / name).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", data[16:24])


def test_every_file_is_served_as_what_it_is_and_no_other(demo):
    assert {each.name for each in SITE.iterdir()} == set(FILES)
    for name, kind in FILES.items():
        answer = demo.site.get(f"/{name}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert answer.content == (SITE / name).read_bytes()
    assert demo.site.get("/").content == demo.site.get("/index.html").content
    assert demo.site.head("/").status_code == 200
    assert demo.site.post("/").status_code == 405
    assert demo.site.get("/application.py").status_code == 404


def test_it_is_small():
    assert sum(len((SITE / name).read_bytes()) for name in FILES) < MOST


def test_the_page_may_load_only_what_is_its_own(demo, page):
    policy = demo.site.get("/").headers["content-security-policy"]
    rules = dict(each.split(" ", 1) for each in policy.split("; "))
    assert rules["default-src"] == "'self'"
    assert rules["connect-src"] == f"'self' {demo.server.url}"  # where browsers tell of badges
    assert {rules[each] for each in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    for name in TEXTS:
        hosts = set(re.findall(r"https?://([\w.]+)", read(name)))
        assert hosts <= {"www.w3.org"}, name  # the namespace of SVG
    assert not any(name.startswith("on") or name == "style" for _, at in page.tags for name in at)


def test_what_the_page_refers_to_is_there(demo, page):
    for target in (*page.values("src"), *page.values("href")):
        assert demo.site.get(target).status_code == 200, target


def test_ids_are_unique_and_those_that_are_used_exist(page):
    assert len(page.ids) == len(set(page.ids))
    labels = {each for value in page.values("aria-labelledby") for each in value.split()}
    used = {each for name in SCRIPTS for each in re.findall(r"\$\('([\w-]+)'\)", read(name))}
    used |= {
        each
        for name in SCRIPTS
        for each in re.findall(r"\b(?:on|show|mark)\('([\w-]+)'", read(name))
    }
    used |= set(re.findall(r"querySelector\('#([\w-]+)'", read("log.js")))
    assert len(used) > 20
    assert (used | labels | set(page.values("list"))) <= set(page.ids)


def test_every_control_has_a_name_for_those_who_cannot_see_it(page):
    """An input is inside its label; a button has a text; a picture beside text has none."""
    text = read("index.html")
    for field in ("input", "select", "textarea"):
        for place in re.finditer(rf"<{field}\b", text):
            before = text[: place.start()]
            assert before.rfind("<label") > before.rfind("</label>")
    assert not re.search(r"<button[^>]*>\s*</button>", text)
    assert all("alt" in given for tag, given in page.tags if tag == "img")
    assert dict(page.tags[0][1]) == {"lang": "en"}


def test_the_manifest_makes_it_installable(demo):
    manifest = json.loads(read("manifest.webmanifest"))
    assert manifest["name"]
    assert manifest["short_name"]
    assert (manifest["start_url"], manifest["scope"], manifest["id"]) == ("/", "/", "/")
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        kind = demo.site.get(icon["src"]).headers["content-type"]
        assert kind == icon["type"]
        if kind == "image/png":
            assert "{}x{}".format(*size_of(icon["src"][1:])) == icon["sizes"]
    assert {icon.get("purpose", "any") for icon in manifest["icons"]} == {"any", "maskable"}
    assert {"any", "192x192", "512x512"} == {icon["sizes"] for icon in manifest["icons"]}


def test_the_worker_keeps_all_that_the_page_needs_offline(page):
    kept = set(re.findall(r"'(/[\w.-]*)'", read("worker.js").split("FILES = [")[1].split("]")[0]))
    imported = {
        f"/{each}" for name in SCRIPTS for each in re.findall(r"from './([\w.]+)'", read(name))
    }
    needed = {"/", *imported, *page.values("src"), *page.values("href")}
    assert {each for each in needed if not urlsplit(each).path.startswith("/_mockpush")} <= kept


def test_the_log_knows_the_events_of_the_push_service():
    """Those that there are, and none that there is not."""
    named = set(re.findall(r"'((?:message|subscription|clock|tenant|fault)\.\w+)'", read("log.js")))
    assert named <= set(EventKind)
    silent = {"message.dispatched", "message.completed"}
    assert {each for each in EventKind if each.startswith("message.")} - named == silent


@pytest.mark.needs_node
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_scripts_can_be_read(name, tmp_path):
    """As modules, but for the worker and what it shares with the page."""
    classic = name in ("worker.js", "inbox.js")
    copy = tmp_path / (name if classic else f"{name[:-3]}.mjs")
    shutil.copy(SITE / name, copy)
    subprocess.run(["node", "--check", copy], check=True)
