"""Settings: where a value comes from, and what is said about a wrong one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mockpush.errors import ConfigurationError
from mockpush.settings import SETTINGS, Project, Settings, load_project, load_settings

NOWHERE = Project()


@pytest.fixture
def project(tmp_path):
    """Writes pyproject.toml with this text below `[tool.mockpush]` and loads it from below."""

    def write(text: str, *, header: str = "[tool.mockpush]\n") -> Project:
        (tmp_path / "pyproject.toml").write_text(header + text, encoding="utf-8")
        below = tmp_path / "src" / "package"
        below.mkdir(parents=True, exist_ok=True)
        return load_project(below)

    return write


def load(flags=None, environ=None, project=NOWHERE, **defaults):
    return load_settings(flags, environ=environ or {}, project=project, **defaults)


def test_without_any_source_the_defaults_hold():
    assert load() == Settings()


def test_the_defaults_are_those_of_the_service():
    from mockpush.options import ServiceOptions

    assert Settings().service_options() == ServiceOptions()


def test_every_setting_of_the_service_reaches_it():
    from mockpush.options import InspectionMode, ServiceOptions, TokenClock
    from mockpush.storage.base import Limits

    environ = {
        "MOCKPUSH_STRICT": "yes",
        "MOCKPUSH_INSPECTION": "lazy",
        "MOCKPUSH_REFUSE_UNDECRYPTABLE": "1",
        "MOCKPUSH_TOKEN_CLOCK": "service",
        "MOCKPUSH_MAX_BODY": "5000",
        "MOCKPUSH_VARIANT": "fcm.too_large_400, wns.success_200",
        "MOCKPUSH_MAX_TENANTS": "1",
        "MOCKPUSH_MAX_SUBSCRIPTIONS": "2",
        "MOCKPUSH_MAX_MESSAGES": "3",
        "MOCKPUSH_MAX_REQUESTS": "4",
        "MOCKPUSH_MAX_USER_AGENTS": "5",
        "MOCKPUSH_MESSAGE_LIMIT": "6",
        "MOCKPUSH_PING_INTERVAL": "7",
        "MOCKPUSH_BROADCASTS": "https://megaphone.example/v1/broadcasts",
        "MOCKPUSH_BROADCASTS_INTERVAL": "1m30s",
    }
    assert load(environ=environ).service_options() == ServiceOptions(
        strict=True,
        inspection=InspectionMode.LAZY,
        refuse_undecryptable=True,
        token_clock=TokenClock.SERVICE,
        max_body=5000,
        limits=Limits(tenants=1, subscriptions=2, messages=3, requests=4, user_agents=5),
        message_limit=6,
        ping_interval=7.0,
        broadcasts="https://megaphone.example/v1/broadcasts",
        broadcasts_interval=90.0,
        variants=("fcm.too_large_400", "wns.success_200"),
    )


def test_a_flag_wins_over_a_variable_over_the_project_over_the_default(project):
    table = project("port = 1\nhttps-port = 2\nprofile = 'three'\n")
    environ = {"MOCKPUSH_PORT": "11", "MOCKPUSH_HTTPS_PORT": "12"}
    settings = load({"port": "111"}, environ, table)
    assert (settings.port, settings.https_port, settings.profile) == (111, 12, "three")
    assert settings.max_messages == Settings().max_messages


def test_a_caller_can_have_other_defaults_which_every_source_overrides():
    assert load(port=0).port == 0
    assert load(environ={"MOCKPUSH_PORT": "7"}, port=0).port == 7


def test_a_switch_can_be_switched_off_again(project):
    table = project("strict = true\n")
    assert load(project=table).strict is True
    assert load({"strict": False}, project=table).strict is False
    assert load(environ={"MOCKPUSH_STRICT": "off"}, project=table).strict is False


def test_an_empty_variable_counts_as_not_set():
    assert load(environ={"MOCKPUSH_PORT": ""}) == Settings()


def test_names_come_as_repeated_flags_a_list_with_commas_or_a_list_of_toml(project):
    names = ("push.test", "mock.test")
    assert load({"hostnames": names}).hostnames == names
    assert load(environ={"MOCKPUSH_HOSTNAME": "push.test, mock.test"}).hostnames == names
    table = project("hostname = ['push.test', 'mock.test']\n")
    assert load(project=table).hostnames == names
    assert load({"hostnames": ()}, project=table).hostnames == names


@pytest.mark.parametrize("key", ["data-dir", "data_dir"])
def test_a_path_of_the_project_is_relative_to_its_file(project, key, tmp_path):
    assert load(project=project(f"{key} = 'kept'\n")).data_dir == tmp_path / "kept"


def test_a_path_in_a_flag_is_relative_to_the_current_directory():
    assert load({"data_dir": "kept"}).data_dir == Path("kept")


def test_a_path_may_begin_with_the_home_directory(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert load({"vapid_key": "~/key.pem"}).vapid_key == Path("/home/somebody/key.pem")


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://push.example.com", "https://push.example.com"),
        ("https://Push.example.com:8443/", "https://push.example.com:8443"),
        ("https://push.example.com:443", "https://push.example.com"),
        ("http://push:80", "http://push"),
        ("http://[::1]:8030", "http://[::1]:8030"),
        ("listener", "listener"),
    ],
)
def test_an_origin_is_brought_to_the_form_that_aud_has(text, origin):
    assert load({"endpoint_origin": text}).endpoint_origin == origin


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "http"),
        ("port", "-1"),
        ("port", "65536"),
        ("max_messages", "0"),
        ("max_messages", "1.5"),
        ("strict", "maybe"),
        ("inspection", "sometimes"),
        ("host", " "),
        ("message_limit", "0"),
        ("ping_interval", "0"),
        ("ping_interval", "soon"),
        ("broadcasts", "megaphone.example"),
        ("broadcasts", "file:///etc/passwd"),
        ("endpoint_origin", "push.example.com"),
        ("endpoint_origin", "ftp://push.example.com"),
        ("endpoint_origin", "https://push.example.com/push"),
        ("endpoint_origin", "https://push.example.com?a"),
        ("endpoint_origin", "https://user@push.example.com"),
        ("endpoint_origin", "https://push.example.com:port"),
        ("hostnames", "a,,b"),
        ("require", "apple,,fcm"),
    ],
)
def test_a_wrong_value_is_refused_with_its_source_and_what_it_must_be(name, value):
    (setting,) = (each for each in SETTINGS if each.name == name)
    words = f"must be {setting.kind.expected}, not {value!r}"
    with pytest.raises(ConfigurationError, match=re.escape(f"{setting.flag} {words}")):
        load({name: value})
    with pytest.raises(ConfigurationError, match=re.escape(f"{setting.variable} {words}")):
        load(environ={setting.variable: value})


@pytest.mark.parametrize(
    "line", ["port = true", "strict = 1", "host = 3", "hostname = [1]", "hostname = 1"]
)
def test_a_value_of_the_wrong_type_is_refused_with_the_file(project, line, tmp_path):
    key = line.partition(" ")[0]
    place = f"{key} in [tool.mockpush] of {tmp_path / 'pyproject.toml'} must be "
    with pytest.raises(ConfigurationError, match=re.escape(place)):
        load(project=project(line))


@pytest.mark.parametrize("line", ['require = "apple,fcm"', 'require = ["apple", "fcm"]'])
def test_push_services_are_required_in_a_list_or_with_commas(project, line):
    names = ("apple", "fcm")
    assert load(project=project(line)).require == names
    assert load(environ={"MOCKPUSH_REQUIRE": "apple, fcm"}).require == names
    for flags in (("apple,fcm",), ("apple", "fcm")):
        assert load({"require": flags}).require == names
        assert load({"require": flags}).service_options().require == names


def test_an_unknown_key_is_refused_with_the_closest_known_one(project):
    with pytest.raises(ConfigurationError, match=r"has no prot; do you mean port\?"):
        project("prot = 1\n")


def test_an_unknown_key_like_no_other_is_refused_with_all_known_ones(project):
    with pytest.raises(
        ConfigurationError, match=r"has no xyzzy; there is: host, port, .*token-clock"
    ):
        project("xyzzy = 1\n")


def test_tables_below_belong_to_commands(project):
    table = project("[tool.mockpush.send]\nttl = 5\n")
    assert (table.values, table.commands) == ({}, {"send": {"ttl": 5}})


@pytest.mark.parametrize("text", ["", "tool = 1", "[tool.other]\nport = 1"])
def test_a_project_without_the_table_sets_nothing(project, text):
    assert load(project=project(text, header="")) == Settings()


def test_only_the_nearest_project_counts(project, tmp_path):
    project("port = 1\n")
    (tmp_path / "src" / "pyproject.toml").write_text("[project]\nname = 'inner'\n")
    assert load(project=load_project(tmp_path / "src" / "package")).port == 8030


def test_a_project_that_is_not_toml_is_refused_with_its_file(project, tmp_path):
    with pytest.raises(ConfigurationError, match=re.escape(str(tmp_path / "pyproject.toml"))):
        project("port =\n")


def test_a_table_that_is_none_is_refused(project):
    with pytest.raises(ConfigurationError, match="must be a table, not 3"):
        project("tool.mockpush = 3\n", header="")


def test_the_nearest_project_is_looked_for_from_the_current_directory(
    project, monkeypatch, tmp_path
):
    project("port = 1\n")
    monkeypatch.chdir(tmp_path / "src")
    monkeypatch.delenv("MOCKPUSH_PORT", raising=False)
    assert load_settings().port == 1


def test_loading_settings_does_not_load_the_service(modules_loaded_by):
    loaded = modules_loaded_by("from mockpush.settings import load_settings; load_settings()")
    assert loaded.isdisjoint({"mockpush.service", "cryptography", "click", "starlette"})
