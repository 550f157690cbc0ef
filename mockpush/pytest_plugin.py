"""The pytest plugin: fixtures, and what a failed test says about its pushes.

It is imported in every pytest run of every user, so it imports nothing but pytest; what the
fixtures need comes with the first test that asks for one (`pytest_session.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mockpush.client.browsers.browser import Browser
    from mockpush.client.clock import Clock
    from mockpush.client.control import Control
    from mockpush.client.push_subscription import PushSubscription
    from mockpush.client.user_agent import UserAgent
    from mockpush.harness.naming import AnySender
    from mockpush.pytest_browsers import Browsers
    from mockpush.pytest_cases import Judge, PushCase
    from mockpush.pytest_session import PushServer, Traffic
    from mockpush.settings import Settings
    from mockpush.vapid_keys import VapidKeys

_TRAFFIC: pytest.StashKey[Traffic] = pytest.StashKey()
_LATE: pytest.StashKey[list[str]] = pytest.StashKey()
_WORKER_OUTPUT = "mockpush_late"
_NAME = "mockpush"
_ALLOW = "allow_refused"
_REQUIRE = "require"
_REQUIRED = "mockpush_require"
_CASE: pytest.StashKey[PushCase] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The flags; `--mockpush-require` is `mockpush_require` in files."""
    group = parser.getgroup(_NAME)
    group.addoption(
        "--mockpush-url",
        metavar="URL",
        help="use the mockpush service that runs at URL (default: MOCKPUSH_URL, "
        "else a service of its own in this process)",
    )
    text = "fail tests with a push that one of these push services would have refused"
    group.addoption("--mockpush-require", metavar="NAME,…", help=f"{text}, as apple,fcm")
    group.addoption(
        "--mockpush-cases",
        action="append",
        metavar="GLOB",
        help="only these cases of tests with push_case; '!GLOB' excludes",
    )
    parser.addini(_REQUIRED, text, type="args", default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker."""
    for words in (
        "mockpush(allow_refused=False): allow_refused=True lets a test pass although a push was "
        "refused for a finding about its sender",
        "mockpush(require=('fcm', 'apple')): these push services, or none, must take every push of "
        "a test",
        "mockpush(cases='rfc8292/*', strict=False, baseline='FILE', profile='rfc', timeout=10): "
        "which cases push_case stands for, and how it judges",
    ):
        config.addinivalue_line("markers", words)
    config.stash[_LATE] = []


# Fixtures


@pytest.fixture(scope="session")
def mockpush_settings() -> Settings:
    """Settings of the service; override it to change them for the whole session.

    They come from `MOCKPUSH_…` variables and `[tool.mockpush]`; ports that nobody set are any free
    ones.
    """
    from mockpush.pytest_session import plain_errors, settings

    with plain_errors():
        return settings()


@pytest.fixture(scope="session")
def push_server(mockpush_settings: Settings, pytestconfig: pytest.Config) -> Iterator[PushServer]:
    """The running service: `url`, `https_url`, `ca_file`, `environ`, `ssl_context`."""
    from mockpush.pytest_session import plain_errors, running

    url = pytestconfig.getoption("--mockpush-url")
    with plain_errors(), running(mockpush_settings, url=url) as server:
        yield server
        pytestconfig.stash[_LATE].extend(server.late_pushes())


@pytest.fixture(scope="session")
def push_vapid(mockpush_settings: Settings) -> VapidKeys:
    """The application server's key pair: your own if one is set, else a new one."""
    from mockpush.pytest_session import plain_errors, vapid_keys

    with plain_errors():
        return vapid_keys(mockpush_settings)


@pytest.fixture
def push_service(
    push_server: PushServer,
    push_vapid: VapidKeys,
    mockpush_settings: Settings,
    request: pytest.FixtureRequest,
) -> Iterator[Control]:
    """The push service in the hands of this test: a tenant of its own, empty and in real time."""
    from mockpush.pytest_session import plain_errors, required

    with plain_errors():
        names = required(_given(request.node), mockpush_settings)
        traffic = push_server.begin(request.node.nodeid, push_vapid, required=names)
    request.node.stash[_TRAFFIC] = traffic
    if "push_vendor_hosts" in request.fixturenames:  # whatever is set up first
        traffic.control.endpoint_origin = "vendor"
    try:
        yield traffic.control
        _judge(request.node)
    finally:
        push_server.end(traffic)


@pytest.fixture
def push_subscription(push_service: Control) -> PushSubscription:
    """A subscription as a browser's `JSON.stringify()` gives it, whose messages can be read."""
    return push_service.subscribe()


@pytest.fixture
def push_user_agent(
    push_service: Control, push_server: PushServer, push_vapid: VapidKeys
) -> Iterator[UserAgent]:
    """An emulated browser that subscribes with `push_vapid`'s key and holds its own."""
    with push_server.user_agent(push_service, push_vapid) as user_agent:
        yield user_agent


@pytest.fixture
def push_clock(push_service: Control) -> Clock:
    """The clock of this test's push service: `advance("8h")`, `freeze()`, `resume()`."""
    return push_service.clock


@pytest.fixture
def push_vendor_hosts(
    push_service: Control, push_server: PushServer
) -> Iterator[Mapping[str, tuple[str, ...]]]:
    """The vendors' own hosts, by profile: this process reaches our service there, not them.

    Subscriptions of a vendor's profile have the vendor's own origin in this test.
    """
    from mockpush.pytest_session import vendor_hosts

    push_service.endpoint_origin = "vendor"
    with vendor_hosts(push_server) as hosts:
        yield hosts


@pytest.fixture(scope="session")
def _push_browsers(push_server: PushServer) -> Iterator[Browsers]:
    """They end before the service does."""
    from mockpush.pytest_browsers import Browsers

    browsers = Browsers()
    try:
        yield browsers
    finally:
        browsers.close()


@pytest.fixture
def firefox(
    push_service: Control, push_vapid: VapidKeys, _push_browsers: Browsers
) -> Iterator[Browser]:
    """A real Firefox, headless, whose push service this is; started once in a session.

    It begins without sites, and may show notifications. Skipped where it is not installed.
    """
    with _push_browsers.lent("firefox", push_service, push_vapid) as browser:
        yield browser


@pytest.fixture
def chromium(
    push_service: Control, push_vapid: VapidKeys, _push_browsers: Browsers
) -> Iterator[Browser]:
    """A real Chromium, headless, whose push service this is; as `firefox`."""
    with _push_browsers.lent("chromium", push_service, push_vapid) as browser:
        yield browser


@pytest.fixture(params=["firefox", "chromium"])
def push_browser(
    request: pytest.FixtureRequest,
    push_service: Control,
    push_vapid: VapidKeys,
    _push_browsers: Browsers,
) -> Iterator[Browser]:
    """Each real browser in turn: the test runs once with `firefox` and once with `chromium`."""
    with _push_browsers.lent(request.param, push_service, push_vapid) as browser:
        yield browser


# A sender and the judge: each case is a test


@pytest.fixture
def push_sender() -> object:
    """The sender that `push_case` judges: override it with all that `run_checks` takes."""
    pytest.fail(
        "mockpush: push_case judges what the fixture push_sender returns: define one that returns "
        "your sender, such as a callable that takes a job",
        pytrace=False,
    )


@pytest.fixture(scope="session")
def _push_judge(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Judge]:
    from mockpush.pytest_cases import Judge

    directory = tmp_path_factory.getbasetemp()
    is_worker = hasattr(pytestconfig, "workerinput")  # the workers' directories are beside it
    with Judge(directory.parent if is_worker else directory) as judge:
        yield judge


@pytest.fixture
def push_case(
    push_sender: AnySender, _push_judge: Judge, request: pytest.FixtureRequest
) -> PushCase:
    """One case of the judge: `check()` drives `push_sender` through it."""
    from mockpush.pytest_cases import PushCase, named, options_of

    sender = named(push_sender)
    marked: dict[str, Any] = {name: _marked(request.node, name) for name in _JUDGING}
    options = options_of(sender, request.config, **marked)
    case = PushCase(request.param, _push_judge, sender, options, item=request.node)
    request.node.stash[_CASE] = case
    return case


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with `push_case` is one test for each case."""
    if "push_case" in metafunc.fixturenames:
        from mockpush.pytest_cases import selected

        cases = selected(
            _marked(metafunc.definition, "cases"), metafunc.config.getoption("--mockpush-cases")
        )
        metafunc.parametrize("push_case", cases, indirect=True, ids=[case.id for case in cases])


# A push that was refused, and nobody looked; or that another push service would have refused


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A marker with a slip of the pen would allow or forbid the wrong thing."""
    for mark in item.iter_markers(_NAME):
        if mark.args or mark.kwargs.keys() - _VALID.keys() or not all(_are_valid(mark)):
            pytest.fail(
                f"the marker mockpush takes {_ALLOW}=True or {_ALLOW}=False, and {_REQUIRE}=() or "
                f"{_REQUIRE}=('apple', …), and for push_case cases='rfc8292/*', strict=True, "
                f"baseline='FILE', profile='fcm' and timeout=10, and nothing else: "
                f"got {_written(mark)}",
                pytrace=False,
            )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """A test that has passed fails if a push was refused, or a case given, and it did not look."""
    result = yield
    _judge(item)
    case = item.stash.get(_CASE, None)
    if case is not None and not case.judged:
        pytest.fail("the test asked for push_case, but not for push_case.check()", pytrace=False)
    return result


def _judge(item: pytest.Item) -> None:
    traffic = item.stash.get(_TRAFFIC, None)
    if traffic is None or traffic.judged:
        return
    complaint = traffic.complaint(allow_refused=_marked(item, _ALLOW) is True)
    if complaint:
        pytest.fail(complaint, pytrace=False)


def _given(item: pytest.Item) -> Iterator[object]:
    """Which push services must take the pushes of a test, by all that may say so in pytest."""
    yield _marked(item, _REQUIRE)
    yield item.config.getoption("--mockpush-require")
    yield item.config.getini(_REQUIRED) or None


def _marked(item: pytest.Item, name: str) -> object:
    """What the closest marker says about this that says anything about it."""
    said = (mark.kwargs[name] for mark in item.iter_markers(_NAME) if name in mark.kwargs)
    return next(said, None)


def _are_names(value: object) -> bool:
    return isinstance(value, str | tuple | list) and all(isinstance(each, str) for each in value)


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and value > 0


_JUDGING: dict[str, Callable[[object], bool]] = {
    "strict": lambda value: isinstance(value, bool),
    "baseline": lambda value: isinstance(value, str | PathLike),
    "profile": lambda value: isinstance(value, str),
    "timeout": _is_positive,
}
_VALID: dict[str, Callable[[object], bool]] = {
    _ALLOW: lambda value: isinstance(value, bool),
    _REQUIRE: _are_names,
    "cases": _are_names,
    **_JUDGING,
}


def _are_valid(mark: pytest.Mark) -> Iterator[bool]:
    return (_VALID[name](value) for name, value in mark.kwargs.items())


def _written(mark: pytest.Mark) -> str:
    named = (f"{name}={value!r}" for name, value in mark.kwargs.items())
    return f"mockpush({', '.join([*map(repr, mark.args), *named])})"


# What reports say


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure carries the traffic: on the terminal, through xdist, and in JUnit files."""
    report = yield
    traffic = item.stash.get(_TRAFFIC, None)
    if traffic is not None:
        traffic.judged = traffic.judged or not report.passed
        if report.failed:
            _add_section(report, traffic.text())
        if report.when == "teardown":
            del item.stash[_TRAFFIC]
    return report


def _add_section(report: pytest.TestReport, text: str) -> None:
    add_section = getattr(report.longrepr, "addsection", None)
    if text and add_section is not None:
        add_section(_NAME, text)
    elif text:
        report.sections.append((_NAME, text))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Under xdist a worker hands its late pushes to the controller."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_WORKER_OUTPUT] = session.config.stash[_LATE]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Collects what a worker handed over."""
    output = getattr(node, "workeroutput", None) or {}
    node.config.stash[_LATE].extend(output.get(_WORKER_OUTPUT, ()))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Names the tests whose pushes arrived after they had ended."""
    late = config.stash.get(_LATE, [])
    if late:
        terminalreporter.section("mockpush: pushes after the end of their test")
        for line in late:
            terminalreporter.line(line)
