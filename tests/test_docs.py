"""The documentation says what is there: generated parts, links, names, requests."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import click
import httpx
import pytest

from mockpush._cache import CACHE
from mockpush.cli import COMMANDS, load
from mockpush.client.browsers.finding import PRODUCTS
from mockpush.http.browsers import Listeners
from mockpush.http.control import application
from mockpush.protocol.registry import REGISTRY
from mockpush.service import PushService
from mockpush.settings import SETTINGS

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8")
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "bench").glob("*.md"))
}
CONTROL = "http://localhost/_mockpush/v1"

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")


@pytest.fixture(scope="module")
def generator():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        yield importlib.import_module("generate_docs")


def blocks(language: str) -> list[tuple[str, str]]:
    """The blocks of code in a language, each with its page."""
    return [
        (name, text)
        for name, page in PAGES.items()
        for found, text in _FENCE.findall(page)
        if found == language
    ]


def command_lines() -> list[str]:
    """What the pages tell people to type."""
    lines = [line for _, text in blocks("console") for line in text.splitlines()]
    lines += [f"$ {line}" for _, text in blocks("sh") for line in text.splitlines()]
    return [line[2:] for line in lines if line.startswith("$ ")]


def spans() -> list[str]:
    """Words that the pages show as code."""
    prose = (_FENCE.sub("", page) for page in PAGES.values())
    return [span for page in prose for span in _SPAN.findall(page)]


def anchors(page: str) -> set[str]:
    """The names of the headings, as targets of links."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def every_command() -> dict[str, click.Command]:
    """By name, with those below a group: `vapid keys`."""
    commands = {name: load(entry) for name, entry in COMMANDS.items()}
    below = {
        f"{name} {each}": command.commands[each]
        for name, command in commands.items()
        if isinstance(command, click.Group)
        for each in command.commands
    }
    return commands | below


def flags(command: click.Command) -> set[str]:
    options = [each for each in command.params if isinstance(each, click.Option)]
    return {name for each in options for name in (*each.opts, *each.secondary_opts)} | {"--help"}


# The mechanism


def test_the_generated_parts_of_all_pages_are_up_to_date(generator):
    for page in generator.pages(ROOT):
        text = page.read_text(encoding="utf-8")
        assert text == generator.filled(text), f"run scripts/docs: {page.name}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("docs/command-line.md", ("Port for HTTPS", "Port for HTTP")),
        ("docs/finding-codes.md", ("### ttl.missing", "### ttl.lost")),
        ("docs/control-api.md", ("| `POST /reset` |", "| `POST /empty` |")),
        ("docs/pytest.md", ("push_subscription.expire()", "push_subscription.end()")),
        ("README.md", ("assert message.json()", "assert message.text()")),
    ],
)
def test_what_is_out_of_date_is_found_and_written(generator, tmp_path, capsys, before, after):
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "README.md", tmp_path)
    page = tmp_path / before
    changed = PAGES[before].replace(*after, 1)
    assert changed != PAGES[before]
    page.write_text(changed, encoding="utf-8")

    assert generator.run(["--check"], root=tmp_path) == 1
    assert capsys.readouterr().out == f"{before}\n"
    assert page.read_text(encoding="utf-8") == changed

    assert generator.run([], root=tmp_path) == 0
    assert page.read_text(encoding="utf-8") == PAGES[before]
    assert generator.run(["--check"], root=tmp_path) == 0


def test_an_example_that_is_not_there_is_an_error(generator):
    with pytest.raises(ValueError, match="no function test_of_nothing"):
        generator.filled("<!-- example: tests/examples/test_shop.py::test_of_nothing -->\n")


def test_every_example_is_a_test_or_the_application_under_test(generator):
    names = re.findall(r"<!-- example: (\S+) -->", "".join(PAGES.values()))
    shown = {
        f"{file.relative_to(ROOT).as_posix()}::{node.name}"
        for file in (ROOT / "tests" / "examples").glob("test_*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    files = {name for name in names if "::" not in name}
    recipes = {
        f"tests/examples/{name}"
        for name in (
            "playwright.mjs",
            "push.ts",
            "order.spec.ts",
            "test_playwright_in_python.py",
            "test_selenium.py",
        )
    }
    runners = {"tests/examples/test_playwright.py"}
    tested = {name for name in shown if name.partition("::")[0] not in files | runners}
    applications = {f"tests/examples/{name}.py" for name in ("shop", "guarded", "application")}
    adapters = {
        each.relative_to(ROOT).as_posix() for each in ROOT.glob("tests/examples/adapters/*.*")
    }
    wanted = tested | applications | adapters | recipes | {"tests/examples/test_sender.py"}
    assert set(names) == wanted


# What the pages hold


def test_every_finding_code_has_a_heading():
    headings = re.findall(r"^### (.+)$", PAGES["docs/finding-codes.md"], re.MULTILINE)
    assert headings == list(REGISTRY)


def test_the_readme_begins_with_the_scripts_then_a_test_then_exec():
    wanted = ("scripts/demo", "scripts/test", "test_order_shipped", "mockpush exec --")
    places = [PAGES["README.md"].index(each) for each in wanted]
    assert places == sorted(places)


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    for target in _LINK.findall(_FENCE.sub("", PAGES[name])):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        page = (ROOT / name).parent / path if path else ROOT / name
        assert page.exists(), target
        if anchor:
            assert anchor in anchors(page.read_text(encoding="utf-8")), target


def test_every_page_can_be_reached_from_the_readme():
    linked = set(_LINK.findall(PAGES["README.md"]))
    assert {name for name in PAGES if name.startswith("docs/")} <= linked


# Names


def mentioned_commands() -> list[list[str]]:
    """The words behind `mockpush` wherever it is called, up to a comment, a pipe, or a `--`."""
    calls = [re.split(r"\s#|\s--(?:\s|$)|[|>)]", each)[0] for each in (*command_lines(), *spans())]
    found = [re.search(r"(?:^|\(|\s)mockpush((?:\s+\S+)+)", each) for each in calls]
    return [match[1].split() for match in found if match]


def test_commands_and_their_flags_exist():
    commands = every_command()
    assert len(mentioned_commands()) > 20
    for words in mentioned_commands():
        if words[0].startswith(("-", "<")):
            continue
        assert words[0] in commands, words
        name = " ".join(words[:2]) if " ".join(words[:2]) in commands else words[0]
        used = {re.sub(r"[=\"].*", "", word) for word in words if re.match(r"--?[a-z]", word)}
        assert used <= flags(commands[name]), words


def test_flags_exist():
    """Those that stand alone, as `--strict`; some are of pytest, the scripts or a browser."""
    known = set().union(*map(flags, every_command().values()))
    known |= {
        "--mockpush-url",
        "--mockpush-require",
        "--mockpush-cases",
        "--proxy-server",
        "--user-data-dir",
        "--all",
        "--check",
        "--messages",
        "--rounds",
        "--connections",
        "--idle",
        "--connected",
    }
    known |= {setting.flag for setting in SETTINGS}
    for span in spans():
        if match := re.match(r"--[a-z][\w-]*", span):
            assert match[0] in known or match[0].replace("--no-", "--") in known, span


def test_variables_exist(generator, push_server):
    """Those of flags, those that name a server or a browser, that of `exec`, and of the cache."""
    generated = generator.GENERATED["settings"]() + generator.GENERATED["commands"]()
    known = {*re.findall(r"`(\w+)`", generated), *push_server.environ}
    known |= {"MOCKPUSH_SUBSCRIPTION", CACHE}
    known |= {name for each in PRODUCTS.values() for name in (each.variable, each.arguments)}
    for page in PAGES.values():
        assert set(re.findall(r"(?<!\w)MOCKPUSH(?:_[A-Z0-9]+)+", page)) <= known


def test_fixtures_exist():
    plugin = importlib.import_module("mockpush.pytest_plugin")
    words = {each for page in PAGES.values() for each in re.findall(r"\bpush_[a-z_]+\b", page)}
    words.add("mockpush_settings")
    assert words
    assert {each for each in words if not hasattr(plugin, each)} == set()


@pytest.mark.parametrize("kind", ["scripts", "bench", "tests"])
def test_files_that_are_named_exist(kind):
    text = "".join(PAGES.values())
    for name in set(re.findall(rf"(?<![\w/.]){kind}/[\w/.-]*\w", text)):
        assert (ROOT / name).exists(), name


# The control API


def test_operations_that_are_named_exist(generator):
    description = importlib.import_module("documentation.control_api").description()
    known = {
        (method.upper(), path.removeprefix("/_mockpush/v1"))
        for path, item in description["paths"].items()
        for method in item
    }
    text = PAGES["docs/control-api.md"]
    for method, path in re.findall(r"`(GET|POST|DELETE) (/[\w/{}.]+)`", text):
        assert (method, path) in known, (method, path)


def curl(line: str) -> tuple[str, str, dict[str, str], str | None]:
    """Method, URL, header fields and body of a call of curl."""
    words = shlex.split(line.replace("$MOCKPUSH_CONTROL_URL", CONTROL))[1:]
    options = {"-X": ["GET"], "-d": [], "-H": []}
    rest = []
    while words:
        word = words.pop(0)
        if word in options:
            options[word].append(words.pop(0))
        else:
            rest.append(word)
    (url,) = rest
    fields = dict(each.split(": ") for each in options["-H"])
    return options["-X"][-1], url, fields, next(iter(options["-d"]), None)


async def test_the_requests_of_the_page_on_the_control_api_work():
    calls = [line for line in command_lines() if line.startswith("curl ")]
    assert len(calls) > 10
    listeners = Listeners("http://127.0.0.1:8030", "https://localhost:8031", "the hash of a key")
    transport = httpx.ASGITransport(application(PushService(), listeners=lambda: listeners))
    async with httpx.AsyncClient(transport=transport) as client:
        for line in calls:
            method, url, headers, body = curl(line)
            answer = await client.request(method, url, headers=headers, content=body)
            assert answer.is_success, (line, answer.text)


def test_examples_in_python_can_be_read():
    for name, text in blocks("python"):
        ast.parse(text, filename=name)


# The invariants


def enforcers() -> list[str]:
    """What the table of invariants names."""
    rows = re.findall(r"^\| (?!---|rule ).+ \| (.+) \|$", PAGES["docs/invariants.md"], re.MULTILINE)
    return [span for row in rows for span in _SPAN.findall(row)]


def test_what_enforces_an_invariant_exists():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    contracts = {each["name"] for each in project["importlinter"]["contracts"]}
    tools = {"ruff", "mypy --strict", *contracts}
    assert len(enforcers()) > 30
    for name in enforcers():
        file, _, function = name.partition("::")
        if file.startswith("tests/"):
            text = (ROOT / file).read_text(encoding="utf-8")
            assert not function or re.search(rf"def {function}\(", text), name
        else:
            assert name in tools or (ROOT / file).exists(), name


def test_every_contract_of_the_layers_is_an_invariant():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert {each["name"] for each in project["importlinter"]["contracts"]} <= set(enforcers())
