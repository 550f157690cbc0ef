"""Profiles of the user's own: the one of the documentation, and files that cannot be used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mockpush.errors import ConfigurationError
from mockpush.profile_file import read_profiles
from mockpush.settings import Project, load_settings

from .pushes import Bench, Push

PAGE = Path(__file__).parents[2] / "docs" / "profiles.md"


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """The file in the documentation."""
    (text,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "acme.py"
    file.write_text(text, encoding="utf-8")
    return file


async def test_a_profile_in_a_file_is_one_like_the_others(acme: Path, make_bench):
    settings = load_settings(
        {"profile_file": str(acme), "profile": "acme"}, environ={}, project=Project()
    )
    options = settings.service_options()
    bench: Bench = make_bench(profile=options.profile, more_profiles=options.more_profiles)
    accepted = await bench.push("acme", Push(headers=(("TTL", "999999"),)))
    assert (accepted.status_code, accepted.headers["ttl"]) == (202, "86400")
    assert bench.subscription.endpoint.startswith("https://localhost/acme/push/")
    refused = [
        (answer.status_code, answer.text, answer.headers.get("x-limit"))
        for push in (
            Push(ended=None),
            Push(headers=(("Authorization", None),)),
            Push(body=b"x" * 3001),
        )
        for answer in [await bench.push("acme", push)]
    ]
    assert refused == [(410, "gone\n", None), (401, "who?\n", None), (413, "", "3000")]
    root = "http://localhost/_mockpush/v1"
    about = (await bench.send("GET", root)).json()
    assert about["profiles"] == ["rfc", "fcm", "mozilla", "apple", "wns", "acme"]
    requests = (await bench.send("GET", f"{root}/requests")).json()["items"]
    assert requests[2]["profile"] == "acme"
    assert requests[2]["answers"]["acme"] == {
        "accepted": False,
        "status": 401,
        "reason": "who?",
        "codes": ["vapid.absent"],
    }


async def test_a_profile_of_a_known_name_replaces_it(tmp_path: Path, make_bench):
    file = tmp_path / "smaller.py"
    file.write_text(
        "from dataclasses import replace\n"
        "from mockpush.profiles.fcm import FCM\n"
        "SMALLER = replace(FCM, limits={**FCM.limits, 'body': 10})\n"
    )
    bench: Bench = make_bench(more_profiles=read_profiles(file))
    assert [*bench.service.profiles] == ["rfc", "fcm", "mozilla", "apple", "wns"]
    assert (await bench.push("fcm", Push())).status_code == 413


MADE = "from mockpush.protocol.judging import *\nON = on('ttl.zero')\n"
WHOLE = "'p', 'a profile', '{}', (), Template(201), Template(503), {}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be used: .*No such file"),
        ("x = ", "cannot be used: invalid syntax"),
        ("import nothing_like_this", "cannot be used: No module named"),
        (MADE + "on('ttl.nought')", r"cannot be used: not in the registry: ttl\.nought"),
        (MADE + "Profile()", "cannot be used: .*missing"),
        (MADE, "defines no .*Profile"),
    ],
)
def test_a_file_that_defines_nothing_is_a_clear_error(tmp_path: Path, text, words):
    file = tmp_path / "mine.py"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        read_profiles(file)


@pytest.mark.parametrize(
    ("prefix", "limits", "words"),
    [
        ("/p/", "{'body': 1}", "profile 'p' has no limit named ttl"),
        ("p/", "{'body': 1, 'ttl': 1}", "the prefix 'p/' must be a path between slashes"),
        ("/", "{'body': 1, 'ttl': 1}", "the prefix '/' must be a path between slashes"),
        ("/wpush/v3/", "{'body': 1, 'ttl': 1}", "'/wpush/v3/' belongs to profile 'mozilla'"),
    ],
)
def test_a_profile_must_be_whole_and_have_endpoints_of_its_own(
    tmp_path: Path, make_bench, prefix, limits, words
):
    file = tmp_path / "mine.py"
    file.write_text(f"{MADE}P = Profile({WHOLE.format(prefix, limits)})\n")
    with pytest.raises(ConfigurationError, match=words):
        make_bench(more_profiles=read_profiles(file))
