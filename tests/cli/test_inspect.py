"""`mockpush inspect`: captured pushes explained on the command line, without any service."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

import mockpush
from mockpush.cli import main
from mockpush.http.inspection import inspection_json
from mockpush.protocol.encryption import encrypt
from mockpush.protocol.keys import generate_key_pair
from mockpush.protocol.model import base64url_encode
from mockpush.protocol.vapid import authorization

NOW = int(datetime(2025, 1, 31, 12, tzinfo=UTC).timestamp())
AT = ("--at", "2025-01-31T12:00:00Z")
ENDPOINT = "https://push.example/p/1"
SERVER_KEY = generate_key_pair()[0]
PRIVATE_KEY, POINT = generate_key_pair()
SECRET = base64url_encode(PRIVATE_KEY)
CLAIMS = {"aud": "https://push.example", "exp": NOW + 3600, "sub": "mailto:me@example.com"}


@pytest.fixture
def subscription(tmp_path) -> str:
    keys = {"p256dh": base64url_encode(POINT), "auth": base64url_encode(bytes(16))}
    file = tmp_path / "subscription.json"
    file.write_text(json.dumps({"endpoint": ENDPOINT, "keys": {**keys, "private_key": SECRET}}))
    return str(file)


def fields(**headers: str) -> dict[str, str]:
    own = {
        "TTL": "60",
        "Content-Encoding": "aes128gcm",
        "Authorization": authorization(CLAIMS, SERVER_KEY),
    }
    return {**own, **headers}


def raw(payload: bytes = b'{"order": 7}', **headers: str) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields(**headers).items())
    head = f"POST /p/1 HTTP/1.1\r\nHost: push.example\r\n{lines}\r\n"
    return head.encode() + encrypt(payload, p256dh=POINT, auth=bytes(16))


def archive(*pushes: dict[str, str]) -> str:
    entries = [
        {
            "startedDateTime": "2025-01-31T12:00:00Z",
            "request": {
                "method": "POST",
                "url": ENDPOINT,
                "headers": [{"name": name, "value": value} for name, value in each.items()],
            },
        }
        for each in pushes
    ]
    return json.dumps({"log": {"entries": entries}})


def run(*arguments: str, **options):
    return CliRunner().invoke(main, ["inspect", *arguments], **options)


def lines(result) -> list[str]:
    """What was printed, without its columns."""
    return [" ".join(line.split()) for line in result.output.splitlines()]


def test_a_push_is_explained_from_standard_input(subscription):
    result = run(*AT, "--subscription", subscription, input=raw(Topic="news"))
    assert result.exit_code == 0
    assert result.stderr == ""
    shown = lines(result)
    assert shown[0] == f"POST {ENDPOINT}"
    for line in (
        "profile rfc (the host is that of no known push service)",
        "sent 2025-01-31T12:00:00Z (as you say)",
        "origin https://push.example",
        "ttl 60",
        "topic news",
        "coding aes128gcm",
        'payload "{"order": 7}"',
        "aud https://push.example",
        "exp 1738328400 2025-01-31T13:00:00Z 60 min ahead",
        "signature valid",
        "0 findings",
        "rfc 201",
    ):
        assert line in shown


def test_it_fails_if_the_push_service_would_have_refused_it(tmp_path):
    (tmp_path / "push.http").write_bytes(raw(TTL="soon"))
    result = run("push.http", *AT)
    assert result.exit_code == 1
    assert "must ttl.not_a_number: TTL is not a number of seconds [RFC 8030" in result.output
    assert "hint      TTL takes digits only" in result.output
    assert "rfc 400 ttl.not_a_number" in lines(result)


def test_findings_stand_in_the_order_of_their_weight():
    result = run(*AT, input=raw(Urgency="HIGH", Topic="a="))
    levels = [line.split()[0] for line in result.output.splitlines() if " [RFC" in line]
    assert levels == ["must", "practice"]


def test_every_push_of_an_archive_is_told():
    result = run(input=archive(fields(), fields(TTL="x")))
    assert result.exit_code == 1
    assert "push 1 of 2" in result.output
    assert "push 2 of 2" in result.output
    assert result.output.count("(by the capture)") == 2
    assert run(input=archive(fields())).exit_code == 0


def test_json_is_the_document_of_the_control_api(subscription):
    result = run(*AT, "--json", "--subscription", subscription, input=raw(TTL="x"))
    assert result.exit_code == 1
    own = json.loads(Path(subscription).read_text())
    found = mockpush.inspect(raw(TTL="x"), at=NOW, subscription=own)
    shown = json.loads(result.stdout)
    assert shown["items"][0]["payload"]["json"] == {"order": 7}
    assert shown["items"][0]["findings"] == inspection_json([found])["items"][0]["findings"]


def test_a_private_key_is_never_printed(subscription):
    for flags in (("--json",), ()):
        result = run(*AT, *flags, "--subscription", subscription, input=raw())
        assert SECRET not in result.output


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (b"\x00\xff", "payload  2 octets that are not UTF-8"),
        (b"\x1b[31m", r'payload  "\x1b[31m"'),
    ],
)
def test_payloads_are_shown_as_what_a_terminal_can_take(subscription, payload, shown):
    result = run(*AT, "--subscription", subscription, input=raw(payload))
    assert shown in result.output


def test_what_is_not_known_is_said():
    opaque = run(*AT, input=raw()).output
    assert "payload  encrypted: give the subscription with its private key" in opaque
    unsent = run(input=f"curl {ENDPOINT} -H 'TTL: 60' --data-binary @body").output
    assert "payload  not in the capture" in unsent
    assert "note: the body is in the file body, which is not part of the command" in unsent
    assert "(now: the capture does not say when it was sent)" in unsent
    draft = "WebPush " + authorization(CLAIMS, SERVER_KEY).partition("t=")[2].partition(",")[0]
    assert "not checked: there is no public key" in run(*AT, input=raw(Authorization=draft)).output


def test_the_terminal_is_safe_from_what_was_captured():
    result = run(input="POST /\x1b[31m HTTP/1.1\nHost: a\nTTL: 1\n\n")
    assert "\x1b" not in result.output


@pytest.mark.parametrize(
    ("arguments", "given", "told"),
    [
        ((), "", "there is no request to be read: it is empty"),
        ((), "hello", "what can be read is a HAR file, raw HTTP"),
        (("nofile",), None, "nofile cannot be read: No such file or directory"),
        ((".",), None, ". cannot be read: Is a directory"),
        (("--profile", "x"), raw(), "there is no profile 'x'; there is: rfc"),
        (("--endpoint", "x"), raw(), "'x' is not the URL of an endpoint"),
        (("--at", "soon"), raw(), "'soon' is no time such as 2025-01-31T12:00:00Z"),
        (("--subscription", "nofile"), raw(), "nofile cannot be read"),
        (("--subscription", "notes"), raw(), "the subscription in notes is not JSON"),
        (("--subscription", "list"), raw(), "the subscription must be a JSON object"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path, arguments, given, told):
    (tmp_path / "notes").write_bytes(b"\xff")
    (tmp_path / "list").write_text("[]")
    result = run(*arguments, input=given)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""


def test_the_endpoint_can_be_said():
    sent = "POST /p/1 HTTP/1.1\nTTL: 1\n\n"
    assert "say with `endpoint` to which URL it was sent" in run(input=sent).stderr
    assert run("--endpoint", ENDPOINT, input=sent).exit_code == 0
