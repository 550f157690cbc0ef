"""The ready senders that are compiled: installed by their toolchains, and known by their habits."""

import re

import pytest

from mockpush.harness.runner import run_checks
from mockpush.harness.senders.registry import READY

COMPILED = [
    pytest.param("go-webpush", marks=pytest.mark.needs_go),
    pytest.param("rust-web-push", marks=pytest.mark.needs_rust),
    pytest.param("java-webpush", marks=pytest.mark.needs_java),
    pytest.param("java-web-push", marks=pytest.mark.needs_java),
]

F, W, S, P = "failed", "warning", "skipped", "passed"

HABITS = {
    "rfc8030/5.2/ttl-longer-than-any": (P, P, P, P),
    "rfc8030/5.3/urgency-as-asked": (P, P, P, P),
    "rfc8030/5.4/topic-as-asked": (P, P, P, P),
    "rfc8291/3.4/payload-binary": (P, P, P, P),
    "rfc8292/2.1/sub-is-a-contact": (P, P, P, P),
    # Go encrypts the nothing; Rust puts the token beside the payload only; Java can't say it.
    "rfc8030/5/no-payload": (W, F, S, P),
    # Rust refuses more than 3052 octets.
    "rfc8291/3.4/payload-longest": (P, W, P, P),
    "rfc8030/7.2/4096-octets": (P, S, P, P),
    # The Java ones send one record, whatever rs says.
    "rfc8291/4/payload-of-4100": (P, P, F, F),
    "rfc8291/4/aes128gcm": (P, P, P, F),
    "rfc8292/2/aud-is-origin": (P, F, P, F),
    "rfc8292/2/aud-of-each-push-service": (P, P, P, P),
    # What Go and the other Java library hand over is the response, whatever its status.
    "rfc8030/7.3/410-is-not-success": (W, P, P, W),
    "rfc8030/7.3/410-is-gone": (P, P, P, P),
    "rfc8030/8.4/429-retry-after": (W, P, P, W),
    "rfc9110/15.3.5/204-is-success": (P, P, W, P),
    "rfc9110/15.4.3/302-loses-nothing": (F, P, P, W),
}
"""What their source and their requests say: case, verdicts in the order of `COMPILED`."""


@pytest.mark.parametrize("name", COMPILED)
def test_it_is_installed_and_driven(name):
    """In the user's own cache, where the next run finds it."""
    report = run_checks(READY[name], cases=list(HABITS))
    assert report.sender.version == READY[name].pinned
    column = [each.values[0] for each in COMPILED].index(name)
    verdicts = {each.id: str(each.verdict) for each in report.results}
    assert verdicts == {case: row[column] for case, row in HABITS.items()}


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("go-webpush", "go not found: install Go "),
        ("rust-web-push", "cargo not found: install Rust "),
        ("java-webpush", "mvn and java not found: install Maven and a JDK"),
        ("java-web-push", "mvn and java not found: install Maven and a JDK"),
    ],
)
def test_a_missing_toolchain_is_named(name, missing, cache, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert READY[name].missing.startswith(missing)


def test_the_crate_of_the_rust_sender_has_the_version_of_its_library():
    """It is what the program says in `hello`."""
    text = (READY["rust-web-push"].source / "Cargo.toml").read_text()
    assert re.search(r'^version = "(.+)"$', text, re.MULTILINE)[1] == READY["rust-web-push"].pinned
