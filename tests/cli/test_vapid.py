"""`mockpush vapid`: keys that others can read, tokens with everything that is wrong with them."""

from __future__ import annotations

import base64
import json
import stat
from datetime import UTC, datetime

import jwt
import pytest
from click.testing import CliRunner
from py_vapid import Vapid02

from mockpush.cli import main
from mockpush.protocol.vapid import authorization
from mockpush.vapid_keys import VapidKeys

NOW = int(datetime(2025, 1, 31, 12, tzinfo=UTC).timestamp())
AT = ("--at", "2025-01-31T12:00:00Z")
ENDPOINT = ("--endpoint", "https://push.example.com/p/1")
CLAIMS = {"aud": "https://push.example.com", "exp": NOW + 3600, "sub": "mailto:me@example.com"}


@pytest.fixture(scope="module")
def keys() -> VapidKeys:
    return VapidKeys.generate()


def run(*arguments: str, **options):
    return CliRunner().invoke(main, ["vapid", *arguments], **options)


def explained(*arguments: str, **options):
    return json.loads(run("inspect", "--json", *arguments, **options).output)


def codes(*arguments: str) -> list[str]:
    return [finding["code"] for finding in explained(*arguments)["findings"]]


def bare(keys: VapidKeys, **claims: object) -> str:
    """A token by another library."""
    return jwt.encode({**CLAIMS, **claims}, keys.private_key_pem, algorithm="ES256")


def field(keys: VapidKeys, **claims: object) -> str:
    return authorization({**CLAIMS, **claims}, keys.scalar)


def test_a_new_pair_is_printed_in_every_form():
    forms = json.loads(run("keys", "--json").output)
    assert forms.keys() == VapidKeys.generate().formats().keys()
    private = Vapid02.from_string(forms["private_key"])
    assert Vapid02.from_pem(forms["private_key_pem"].encode()).private_key.private_numbers() == (
        private.private_key.private_numbers()
    )


def test_each_form_is_printed_with_its_name(keys, tmp_path):
    keys.save(tmp_path / "key.pem")
    output = run("keys", "--source", "key.pem").output
    for name, value in keys.formats().items():
        text = value if isinstance(value, str) else json.dumps(value)
        assert text.strip() in output, name
    assert "Public key (applicationServerKey), base64url\n" in output
    assert "Private key, PEM (SEC 1)\n" in output


def test_a_key_in_a_new_file_is_not_printed(tmp_path):
    result = run("keys", "-o", "key.pem", "--json")
    kept = VapidKeys.read(tmp_path / "key.pem")
    assert json.loads(result.output) == {"public_key": kept.public_key, "file": "key.pem"}
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600


def test_a_key_is_never_replaced(tmp_path):
    run("keys", "-o", "key.pem")
    before = (tmp_path / "key.pem").read_text()
    result = run("keys", "-o", "key.pem")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "key.pem exists, and keys are never replaced" in result.stderr
    assert (tmp_path / "key.pem").read_text() == before


def test_a_correct_field_has_no_findings(keys):
    assert explained(field(keys), *ENDPOINT, *AT) == {
        "scheme": "vapid",
        "header": {"typ": "JWT", "alg": "ES256"},
        "claims": CLAIMS,
        "public_key": keys.public_key,
        "verified": True,
        "findings": [],
    }


def test_a_correct_token_of_another_library_has_no_findings(keys):
    token = bare(keys)
    assert codes(token, *ENDPOINT, *AT) == []
    assert explained(token, *AT)["verified"] is False
    assert explained(token, *AT, "--public-key", keys.public_key)["verified"] is True


@pytest.mark.parametrize("prefix", ["Authorization: ", "authorization:", ""])
def test_a_field_may_be_copied_with_its_name(keys, prefix):
    assert explained(prefix + field(keys), *ENDPOINT, *AT)["verified"] is True


def test_a_field_may_be_copied_without_its_scheme(keys):
    text = field(keys).removeprefix("vapid ")
    assert explained(text, *ENDPOINT, *AT)["verified"] is True
    assert explained(text.replace(" ", ""), *ENDPOINT, *AT)["verified"] is True


def test_a_token_may_come_from_standard_input(keys):
    assert explained("-", *ENDPOINT, *AT, input=field(keys) + "\n")["verified"] is True


def test_the_form_of_a_draft_is_named_and_read_with_the_key(keys):
    text = f"WebPush {bare(keys)}"
    assert codes(text, *ENDPOINT, *AT) == ["vapid.scheme.webpush"]
    assert explained(text, *AT, "--public-key", keys.public_key)["verified"] is True


def test_an_audience_is_compared_with_the_origin_of_the_endpoint(keys):
    assert codes(field(keys), "--endpoint", "https://other.example.com/p", *AT) == [
        "vapid.aud.mismatch"
    ]
    assert codes(field(keys), "--endpoint", "https://PUSH.example.com/p", *AT) == []


def test_without_an_endpoint_any_audience_will_do_and_the_output_says_so(keys):
    assert codes(field(keys), *AT) == []
    assert "say where the push went with --endpoint" in run("inspect", field(keys), *AT).output
    token = authorization({"exp": NOW + 60 * 60, "sub": "mailto:me@example.com"}, keys.scalar)
    assert codes(token, *AT) == ["vapid.aud.missing"]


def test_times_are_told_relative_to_the_time_of_sending(keys):
    output = run("inspect", field(keys), *ENDPOINT, *AT).output
    assert f"{NOW + 3600}  2025-01-31T13:00:00Z  60 min ahead" in output
    late = run("inspect", field(keys), *ENDPOINT, "--at", str(NOW + 5 * 86400))
    assert "5 d ago" in late.output
    assert "vapid.exp.past" in late.output


@pytest.mark.parametrize("time", ["2025-01-31T12:00:00", "2025-01-31T13:00:00+01:00", f"{NOW}"])
def test_a_time_is_in_utc_unless_it_says_otherwise(keys, time):
    output = run("inspect", field(keys), *ENDPOINT, "--at", time).output
    assert "60 min ahead" in output


def test_what_is_no_time_is_wrong_usage(keys):
    result = run("inspect", field(keys), "--at", "noon")
    assert result.exit_code == 2
    assert "'noon' is no time such as" in result.stderr


def test_without_a_time_it_is_judged_now(keys):
    assert codes(field(keys), *ENDPOINT) == ["vapid.exp.past"]


@pytest.mark.parametrize("exp", [10**20, True, "soon", None])
def test_a_claim_that_is_no_date_is_shown_as_it_is(keys, exp):
    token = authorization({**CLAIMS, "exp": exp}, keys.scalar)
    result = run("inspect", token, *ENDPOINT, *AT)
    assert result.exit_code == 1
    shown = exp if isinstance(exp, str) else json.dumps(exp)
    assert f"    exp  {shown}\n" in result.output


def test_a_finding_comes_with_what_was_expected_and_what_to_do(keys):
    result = run("inspect", field(keys, sub="mailto:me@localhost"), *ENDPOINT, *AT)
    assert "vendor vapid.sub.local_host: sub names a host that is not public [" in result.output
    assert "        actual    mailto:me@localhost\n" in result.output
    assert "        hint      " in result.output
    assert result.exit_code == 0


def test_a_broken_must_is_a_failed_check(keys):
    assert run("inspect", field(keys, exp=NOW + 90000), *ENDPOINT, *AT).exit_code == 1


def test_another_key_than_that_of_the_subscription_is_found(keys):
    other = VapidKeys.generate().public_key
    assert "vapid.key.mismatch" in codes(field(keys), *AT, "--public-key", other)


def test_a_signature_that_does_not_hold_is_said_to(keys):
    head, _, signature = bare(keys).rpartition(".")
    forged = f"{head}.{signature[::-1]}"
    output = run("inspect", forged, *AT, "--public-key", keys.public_key).output
    assert "signature  not valid" in output
    unknown = run("inspect", forged, *AT).output
    assert "signature  not checked: give the public key with --public-key" in unknown


@pytest.mark.parametrize("text", ["rubbish", "Basic dXNlcg=="])
def test_what_is_no_token_is_explained(text):
    result = run("inspect", text, *AT)
    assert result.exit_code == 1
    assert "must vapid." in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--public-key", "rubbish!"), "--public-key: the key is not unpadded base64url"),
        (("--endpoint", "push.example.com"), "--endpoint must be a URL"),
    ],
)
def test_wrong_arguments_are_refused_by_their_name(keys, arguments, words):
    result = run("inspect", field(keys), *arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_control_characters_of_a_token_do_not_reach_the_terminal(keys):
    output = run("inspect", field(keys, note="\x1b[2J"), *ENDPOINT, *AT).output
    assert "\x1b" not in output
    assert "note  \\x1b[2J" in output


def test_a_long_claim_is_cut(keys):
    assert "x" * 400 + "…\n" in run("inspect", field(keys, note="x" * 500), *AT).output


def test_a_token_whose_parts_are_not_json_has_no_claims():
    parts = base64.urlsafe_b64encode(b"[]").rstrip(b"=").decode()
    assert explained(f"{parts}.{parts}.{parts}", *AT)["claims"] is None
